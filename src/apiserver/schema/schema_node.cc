// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/schema_node.h"

#include <nlohmann/json.hpp>

#include "apiserver/schema/builtin_types.h"

namespace tidegate::apiserver::schema {

const Json* member(const Json& value, std::string_view key) {
  if (!value.is_object()) return nullptr;
  const auto& object = value.get_ref<const Json::object_t&>();
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &it->second;
}

bool flag(const Json& schema, std::string_view key) {
  const Json* value = member(schema, key);
  return value && value->is_boolean() && value->get<bool>();
}

std::string_view word(const Json& schema, std::string_view key) {
  const Json* value = member(schema, key);
  return value && value->is_string() ? std::string_view(value->get_ref<const std::string&>())
                                     : std::string_view();
}

const Json* child_schema(const Json& schema, std::string_view key) {
  if (const Json* properties = member(schema, "properties")) {
    if (const Json* child = member(*properties, key)) return child;
  }
  const Json* additional = member(schema, "additionalProperties");
  return additional && additional->is_object() ? additional : nullptr;
}

const Json* root_child_schema(const Json& schema, std::string_view key) {
  static const Json string = {{"type", "string"}};
  if (key == "metadata") return &object_meta_schema();
  if (key == "apiVersion" || key == "kind") return &string;
  return child_schema(schema, key);
}

const Json* item_schema(const Json& schema) {
  const Json* items = member(schema, "items");
  return items && items->is_object() ? items : nullptr;
}

ListType list_type(const Json& schema) {
  const std::string_view type = word(schema, "x-kubernetes-list-type");
  if (type == "set") return ListType::kSet;
  if (type == "map" && !list_map_keys(schema).empty()) return ListType::kMap;
  return ListType::kAtomic;
}

std::vector<std::string> list_map_keys(const Json& schema) {
  std::vector<std::string> keys;
  const Json* names = member(schema, "x-kubernetes-list-map-keys");
  if (!names || !names->is_array()) return keys;
  for (const Json& name : *names) {
    if (name.is_string()) keys.push_back(name.get<std::string>());
  }
  return keys;
}

std::string field_path(const std::string& parent, std::string_view key) {
  return parent.empty() ? std::string(key) : parent + "." + std::string(key);
}

std::string field_path(const std::string& parent, std::size_t index) {
  return parent + "[" + std::to_string(index) + "]";
}

}  // namespace tidegate::apiserver::schema
