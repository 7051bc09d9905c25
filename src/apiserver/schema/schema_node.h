// SPDX-License-Identifier: Apache-2.0
// Total look-ups in the nodes of a structural schema, shared by defaults, pruning, validation, patches and
// apply. A schema is outside data: anything of another type than expected reads as absent. Pure. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace tidegate::apiserver::schema {

// The member of that name (which may hold dots), or nullptr where `value` is no object or has none.
const Json* member(const Json& value, std::string_view key);
bool flag(const Json& schema, std::string_view key);
std::string_view word(const Json& schema, std::string_view key);  // "" where absent

// The schema of one member of an object: properties, else additionalProperties; nullptr where unknown.
const Json* child_schema(const Json& schema, std::string_view key);
// The same at an object's root, where metadata always has the schema that all kinds share, and apiVersion and
// kind are strings.
const Json* root_child_schema(const Json& schema, std::string_view key);
const Json* item_schema(const Json& schema);

enum class ListType { kAtomic, kSet, kMap };
ListType list_type(const Json& schema);  // x-kubernetes-list-type; atomic where absent
std::vector<std::string> list_map_keys(const Json& schema);

// "spec.rules" and "[2]" appended to a path for messages.
std::string field_path(const std::string& parent, std::string_view key);
std::string field_path(const std::string& parent, std::size_t index);

}  // namespace tidegate::apiserver::schema
