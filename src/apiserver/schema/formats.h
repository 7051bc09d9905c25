// SPDX-License-Identifier: Apache-2.0
// What single values of a schema are checked against: types, formats and patterns. Pure (patterns are
// compiled once a thread and kept in a bounded cache). Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace tidegate::apiserver::schema {

std::string_view type_name(
    const Json& value);  // "string", "integer", "number", "boolean", "object", "array", "null"
bool has_type(const Json& value, std::string_view type);

// The formats that the Kubernetes API server checks; any other is accepted.
bool has_format(const Json& value, std::string_view format);

bool is_pattern(std::string_view pattern);  // compiles
// Unanchored, RE2 syntax, linear time. A pattern that does not compile matches nothing.
bool matches_pattern(std::string_view text, std::string_view pattern);

std::size_t utf8_length(std::string_view text);  // code points

}  // namespace tidegate::apiserver::schema
