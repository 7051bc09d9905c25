// SPDX-License-Identifier: Apache-2.0
// Defaults and pruning. Validation is in validate.cc.
#include "apiserver/schema/structural.h"

#include <nlohmann/json.hpp>

#include "apiserver/schema/schema_node.h"

namespace tidegate::apiserver::schema {
namespace {

using ChildSchema = const Json* (*)(const Json&, std::string_view);

void drop_nulls(Json& value, const Json& schema, ChildSchema child_of) {
  if (value.is_array()) {
    const Json* items = item_schema(schema);
    if (!items) return;
    for (Json& item : value) drop_nulls(item, *items, child_schema);
  }
  if (!value.is_object()) return;
  auto& object = value.get_ref<Json::object_t&>();
  for (auto it = object.begin(); it != object.end();) {
    const Json* child = child_of(schema, it->first);
    if (child && it->second.is_null()) {
      it = object.erase(it);
      continue;
    }
    if (child) drop_nulls(it->second, *child, child_schema);
    ++it;
  }
}

void default_node(Json& value, const Json& schema);

void default_properties(Json& object, const Json& properties) {
  for (const auto& [key, child] : properties.items()) {
    const Json* fallback = member(child, "default");
    if (!fallback) continue;
    const auto present = object.find(key);
    const bool absent = present == object.end() || (present->is_null() && !flag(child, "nullable"));
    if (absent) object[key] = Json(*fallback);
  }
}

void default_node(Json& value, const Json& schema) {
  if (value.is_array()) {
    if (const Json* items = item_schema(schema)) {
      for (Json& item : value) default_node(item, *items);
    }
    return;
  }
  if (!value.is_object()) return;
  if (const Json* properties = member(schema, "properties"); properties && properties->is_object()) {
    default_properties(value, *properties);
  }
  // A null that may not be is taken for absent, as Kubernetes does since 1.20.
  auto& object = value.get_ref<Json::object_t&>();
  for (auto it = object.begin(); it != object.end();) {
    const Json* known = child_schema(schema, it->first);
    if (known && it->second.is_null() && !flag(*known, "nullable")) {
      it = object.erase(it);
      continue;
    }
    if (known) default_node(it->second, *known);
    ++it;
  }
}

bool keeps_everything(const Json& schema) {
  if (schema.empty()) return true;
  if (flag(schema, "x-kubernetes-preserve-unknown-fields")) return true;
  const Json* additional = member(schema, "additionalProperties");
  return additional && additional->is_boolean() && additional->get<bool>();
}

void prune_node(Json& value, const Json& schema, ChildSchema child_of, const std::string& path,
                std::vector<std::string>& removed) {
  if (value.is_array()) {
    const Json* items = item_schema(schema);
    if (!items) return;
    for (std::size_t i = 0; i < value.size(); ++i) {
      prune_node(value[i], *items, child_schema, field_path(path, i), removed);
    }
    return;
  }
  if (!value.is_object()) return;
  const bool keep = keeps_everything(schema);
  auto& object = value.get_ref<Json::object_t&>();
  for (auto it = object.begin(); it != object.end();) {
    const std::string at = field_path(path, it->first);
    if (const Json* child = child_of(schema, it->first)) {
      prune_node(it->second, *child, child_schema, at, removed);
    } else if (!keep) {
      removed.push_back(at);
      it = object.erase(it);
      continue;
    }
    ++it;
  }
}

}  // namespace

void apply_defaults(Json& object, const Json& schema) {
  if (flag(schema, "x-tidegate-drop-nulls")) drop_nulls(object, schema, root_child_schema);
  default_node(object, schema);
}

std::vector<std::string> prune(Json& object, const Json& schema) {
  std::vector<std::string> removed;
  prune_node(object, schema, root_child_schema, "", removed);
  return removed;
}

}  // namespace tidegate::apiserver::schema
