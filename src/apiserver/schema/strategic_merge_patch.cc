// SPDX-License-Identifier: Apache-2.0
// Strategic merge patches. Directives: $patch (merge, replace, delete), $retainKeys, $setElementOrder/FIELD,
// $deleteFromPrimitiveList/FIELD.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "apiserver/schema/list_order.h"
#include "apiserver/schema/patch.h"
#include "apiserver/schema/schema_node.h"

namespace tidegate::apiserver::schema {
namespace {

using ChildSchema = const Json* (*)(const Json&, std::string_view);

constexpr std::string_view kOrder = "$setElementOrder/";
constexpr std::string_view kDeletePrimitives = "$deleteFromPrimitiveList/";

const Json& nothing() {
  static const Json empty = Json::object();
  return empty;
}

bool merges(const Json& schema) {
  return word(schema, "x-kubernetes-patch-strategy").find("merge") != std::string_view::npos;
}

Error wrong(const std::string& path, const std::string& what) {
  return {ErrorCode::kInvalid, "strategic merge patch: " + (path.empty() ? "the object" : path) + " " + what};
}

Result<Json> merge_object(Json object, const Json& patch, const Json& schema, ChildSchema child_of,
                          const std::string& path);

// Where the item with that merge key stands, or the list's size.
std::size_t position(const Json& list, std::string_view key, const Json& value) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json* at = member(list[i], key);
    if (at && *at == value) return i;
  }
  return list.size();
}

Result<void> merge_item(Json& list, const Json& item, std::string_view key, const Json& schema,
                        const std::string& path) {
  const Json* value = member(item, key);
  if (!value) return wrong(path, "has an item without its merge key " + std::string(key));
  const std::size_t at = position(list, key, *value);
  if (word(item, "$patch") == "delete") {
    if (at < list.size()) list.erase(at);
    return {};
  }
  auto merged = merge_object(at < list.size() ? list[at] : Json::object(), item, schema, child_schema,
                             field_path(path, at));
  if (!merged) return merged.error();
  if (at < list.size()) {
    list[at] = std::move(*merged);
  } else {
    list.push_back(std::move(*merged));
  }
  return {};
}

Result<Json> merge_objects_by_key(Json list, const Json& patch, const Json& schema, const std::string& path) {
  const std::string_view key = word(schema, "x-kubernetes-patch-merge-key");
  const Json* items = item_schema(schema);
  const bool replaces = std::any_of(patch.begin(), patch.end(),
                                    [](const Json& item) { return word(item, "$patch") == "replace"; });
  if (replaces) list = Json::array();
  for (const Json& item : patch) {
    if (!item.is_object()) return wrong(path, "must hold objects");
    if (word(item, "$patch") == "replace") continue;
    if (auto done = merge_item(list, item, key, items ? *items : nothing(), path); !done) return done.error();
  }
  return list;
}

Json merge_primitives(Json list, const Json& patch) {
  for (const Json& value : patch) {
    if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
  }
  return list;
}

Result<Json> merge_list(Json current, const Json& patch, const Json& schema, const std::string& path) {
  if (!merges(schema)) return patch;
  if (!current.is_array()) current = Json::array();
  if (!word(schema, "x-kubernetes-patch-merge-key").empty()) {
    return merge_objects_by_key(std::move(current), patch, schema, path);
  }
  return merge_primitives(std::move(current), patch);
}

Result<Json> merge_value(Json current, const Json& patch, const Json& schema, const std::string& path) {
  if (patch.is_object()) {
    return merge_object(current.is_object() ? std::move(current) : Json::object(), patch, schema,
                        child_schema, path);
  }
  if (patch.is_array()) return merge_list(std::move(current), patch, schema, path);
  return patch;
}

void delete_primitives(Json& object, std::string_view field, const Json& values) {
  const auto list = object.find(field);
  if (list == object.end() || !list->is_array() || !values.is_array()) return;
  Json kept = Json::array();
  for (const Json& value : *list) {
    if (std::find(values.begin(), values.end(), value) == values.end()) kept.push_back(value);
  }
  *list = std::move(kept);
}

void set_order(Json& object, std::string_view field, const Json& order, const Json& schema) {
  const auto list = object.find(field);
  if (list == object.end() || !list->is_array() || !order.is_array()) return;
  const std::string key(word(schema, "x-kubernetes-patch-merge-key"));
  const auto identity = [&](const Json& item) {
    const Json* value = key.empty() ? &item : member(item, key);
    return value ? json::dump(*value) : std::string();
  };
  std::vector<std::string> names;
  for (const Json& item : order) names.push_back(identity(item));
  reorder(*list, names, identity);
}

void retain_keys(Json& object, const Json& keys) {
  if (!keys.is_array()) return;
  auto& members = object.get_ref<Json::object_t&>();
  for (auto it = members.begin(); it != members.end();) {
    it = std::find(keys.begin(), keys.end(), it->first) == keys.end() ? members.erase(it) : std::next(it);
  }
}

Json without_directives(const Json& patch) {
  Json out = Json::object();
  for (const auto& [key, value] : patch.items()) {
    if (!key.starts_with('$')) out[key] = value;
  }
  return out;
}

// `object` is an object; so is `patch`.
Result<Json> merge_object(Json object, const Json& patch, const Json& schema, ChildSchema child_of,
                          const std::string& path) {
  const std::string_view directive = word(patch, "$patch");
  if (directive == "replace") return without_directives(patch);
  if (directive == "delete") return Json::object();
  if (!directive.empty() && directive != "merge")
    return wrong(path, "has an unknown $patch " + std::string(directive));
  for (const auto& [key, value] : patch.items()) {
    if (key.starts_with(kDeletePrimitives))
      delete_primitives(object, key.substr(kDeletePrimitives.size()), value);
  }
  for (const auto& [key, value] : patch.items()) {
    if (key.starts_with('$')) continue;
    const Json* child = child_of(schema, key);
    if (value.is_null() || word(value, "$patch") == "delete") {
      object.erase(key);
      continue;
    }
    auto merged = merge_value(object.contains(key) ? object[key] : Json(), value, child ? *child : nothing(),
                              field_path(path, key));
    if (!merged) return merged;
    object[key] = std::move(*merged);
  }
  for (const auto& [key, value] : patch.items()) {
    if (!key.starts_with(kOrder)) continue;
    const std::string field = key.substr(kOrder.size());
    const Json* child = child_of(schema, field);
    set_order(object, field, value, child ? *child : nothing());
  }
  if (const Json* keys = member(patch, "$retainKeys")) retain_keys(object, *keys);
  return object;
}

}  // namespace

Result<Json> strategic_merge_patch(Json object, const Json& patch, const Json& schema) {
  if (!patch.is_object() || !object.is_object()) return wrong("", "and the patch must be objects");
  return merge_object(std::move(object), patch, schema, root_child_schema, "");
}

}  // namespace tidegate::apiserver::schema
