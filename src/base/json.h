// SPDX-License-Identifier: Apache-2.0
// JSON documents at the edges: bounded parsing and total look-ups. The type is nlohmann::json (keys sorted,
// as the Kubernetes API server writes custom resources). Headers include this file only; .cc files that build
// documents include <nlohmann/json.hpp>.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tidegate {

using Json = nlohmann::json;

namespace json {

inline constexpr std::size_t kMaxDepth = 100;              // our walkers and dump() recurse
inline constexpr std::size_t kMaxBytes = 3 * 1024 * 1024;  // as the Kubernetes API server's request limit

// Parses one document. Errors (kInvalid) name line and column; kLimit where it is too deep or too large.
// Duplicate keys are an error.
Result<Json> parse(std::string_view text, std::size_t max_bytes = kMaxBytes);

// Compact, keys sorted: the canonical form. Invalid UTF-8 is replaced, never thrown.
std::string dump(const Json& value);
std::string dump_pretty(const Json& value);

// Total look-ups: `path` is a dotted list of object keys ("metadata.labels" - keys without dots) or, where it
// starts with a slash, a JSON pointer (RFC 6901). nullptr where any part is missing or of another type.
const Json* find(const Json& value, std::string_view path);
std::string string_at(const Json& value, std::string_view path, std::string_view fallback = {});
std::int64_t int_at(const Json& value, std::string_view path, std::int64_t fallback = 0);
bool bool_at(const Json& value, std::string_view path, bool fallback = false);
std::optional<double> number_at(const Json& value, std::string_view path);

// An empty array or object to iterate where the path is missing or of another type.
const Json& array_at(const Json& value, std::string_view path);
const Json& object_at(const Json& value, std::string_view path);

// RFC 7386. Applies `patch` to `target`.
void merge_patch(Json& target, const Json& patch);

}  // namespace json
}  // namespace tidegate
