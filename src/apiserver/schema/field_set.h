// SPDX-License-Identifier: Apache-2.0
// Sets of fields as metadata.managedFields records them (FieldsV1): each path is a list of elements "f:NAME"
// (a member), "k:{KEYS}" (an item of a list by its keys) or "v:VALUE" (an item of a set). Objects of kind
// atomic and lists that are neither map nor set are one field as a whole. Pure. Thread: any.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace tidegate::apiserver::schema {

using FieldPath = std::vector<std::string>;
using FieldSet = std::set<FieldPath>;  // a path sorts before those below it

// The leaves of `object`, and the items of its map lists; without what names the object (apiVersion, kind,
// metadata.name ...).
FieldSet fields_of(const Json& object, const Json& schema);

Json encode_fields(const FieldSet& fields);  // FieldsV1
FieldSet decode_fields(const Json& fields);

// What stands at `path`, or nullptr.
const Json* field_at(const Json& object, const FieldPath& path);
Json* field_at(Json& object, const FieldPath& path);

bool is_item(const FieldPath& path);                            // ends in an item of a map list or a set
bool has_below(const FieldSet& fields, const FieldPath& path);  // holds a path below `path`
std::string to_text(const FieldPath& path);                     // spec.containers[name="web"].image

// The element that names an item of a list by its keys; keys that are missing take the schema's defaults.
std::string item_element(const Json& item, const Json& list_schema);

}  // namespace tidegate::apiserver::schema
