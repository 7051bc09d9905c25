// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/field_set.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apiserver/schema/schema_node.h"

namespace tidegate::apiserver::schema {
namespace {

const Json& nothing() {
  static const Json empty = Json::object();
  return empty;
}

constexpr std::string_view kUnownedMeta[] = {"name",
                                             "namespace",
                                             "uid",
                                             "resourceVersion",
                                             "generation",
                                             "creationTimestamp",
                                             "deletionTimestamp",
                                             "deletionGracePeriodSeconds",
                                             "selfLink",
                                             "generateName",
                                             "managedFields"};

bool is_unowned_meta(std::string_view name) {
  for (const auto one : kUnownedMeta) {
    if (one == name) return true;
  }
  return false;
}

std::string value_element(const Json& value) { return "v:" + json::dump(value); }

class Collector {
 public:
  FieldSet take() { return std::move(fields_); }

  void root(const Json& object, const Json& schema) {
    if (!object.is_object()) return;
    for (const auto& [key, value] : object.get_ref<const Json::object_t&>()) {
      if (key == "apiVersion" || key == "kind") continue;
      const Json* child = root_child_schema(schema, key);
      path_.push_back("f:" + key);
      if (key == "metadata") {
        metadata(value, *child);
      } else {
        node(value, child ? *child : nothing());
      }
      path_.pop_back();
    }
  }

 private:
  void metadata(const Json& value, const Json& schema) {
    if (!value.is_object()) return;
    for (const auto& [key, child] : value.get_ref<const Json::object_t&>()) {
      if (!is_unowned_meta(key)) below("f:" + key, child, child_schema(schema, key));
    }
  }

  void below(std::string element, const Json& value, const Json* schema) {
    path_.push_back(std::move(element));
    node(value, schema ? *schema : nothing());
    path_.pop_back();
  }

  void node(const Json& value, const Json& schema) {
    if (value.is_object() && !value.empty() && word(schema, "x-kubernetes-map-type") != "atomic") {
      for (const auto& [key, child] : value.get_ref<const Json::object_t&>())
        below("f:" + key, child, child_schema(schema, key));
      return;
    }
    const ListType type = list_type(schema);
    if (!value.is_array() || value.empty() || type == ListType::kAtomic) {
      fields_.insert(path_);
      return;
    }
    for (const Json& item : value) {
      path_.push_back(type == ListType::kMap ? item_element(item, schema) : value_element(item));
      fields_.insert(path_);
      const Json* items = item_schema(schema);
      if (type == ListType::kMap && item.is_object() && !item.empty()) node(item, items ? *items : nothing());
      path_.pop_back();
    }
  }

  FieldPath path_;
  FieldSet fields_;
};

void decode_below(const Json& fields, FieldPath& path, FieldSet& out) {
  if (!fields.is_object() || path.size() > json::kMaxDepth) return;
  if (fields.empty() && !path.empty()) out.insert(path);
  for (const auto& [key, child] : fields.get_ref<const Json::object_t&>()) {
    if (key == ".") {
      out.insert(path);
      continue;
    }
    path.push_back(key);
    decode_below(child, path, out);
    path.pop_back();
  }
}

// The item of a list that an element names. Keys that the item leaves out count as equal: they can only stand
// for the schema's default.
const Json* find_item(const Json& list, std::string_view element) {
  if (!list.is_array()) return nullptr;
  const auto wanted = json::parse(element.substr(2));
  if (!wanted) return nullptr;
  for (const Json& item : list) {
    if (element.starts_with("v:") && item == *wanted) return &item;
    if (!element.starts_with("k:") || !item.is_object() || !wanted->is_object()) continue;
    bool same = true, any = false;
    for (const auto& [key, value] : wanted->get_ref<const Json::object_t&>()) {
      const Json* at = member(item, key);
      any = any || at;
      same = same && (!at || *at == value);
    }
    if (same && any) return &item;
  }
  return nullptr;
}

}  // namespace

std::string item_element(const Json& item, const Json& list_schema) {
  Json keys = Json::object();
  const Json* items = item_schema(list_schema);
  for (const auto& key : list_map_keys(list_schema)) {
    const Json* value = member(item, key);
    const Json* child = items ? child_schema(*items, key) : nullptr;
    if (!value && child) value = member(*child, "default");
    if (value) keys[key] = *value;
  }
  return "k:" + json::dump(keys);
}

FieldSet fields_of(const Json& object, const Json& schema) {
  Collector collector;
  collector.root(object, schema);
  return collector.take();
}

Json encode_fields(const FieldSet& fields) {
  Json out = Json::object();
  for (const FieldPath& path : fields) {
    Json* at = &out;
    for (const auto& element : path) {
      // A path that is a member itself and has members below is marked with ".".
      at = &(*at)[element];
      if (at->is_null()) *at = Json::object();
    }
    if (has_below(fields, path)) (*at)["."] = Json::object();
  }
  return out;
}

FieldSet decode_fields(const Json& fields) {
  FieldSet out;
  FieldPath path;
  decode_below(fields, path, out);
  return out;
}

const Json* field_at(const Json& object, const FieldPath& path) {
  const Json* at = &object;
  for (const auto& element : path) {
    if (element.size() < 2) return nullptr;
    at = element.starts_with("f:") ? member(*at, std::string_view(element).substr(2))
                                   : find_item(*at, element);
    if (!at) return nullptr;
  }
  return at;
}

Json* field_at(Json& object, const FieldPath& path) {
  return const_cast<Json*>(field_at(static_cast<const Json&>(object), path));
}

bool is_item(const FieldPath& path) {
  return !path.empty() && (path.back().starts_with("k:") || path.back().starts_with("v:"));
}

bool has_below(const FieldSet& fields, const FieldPath& path) {
  const auto next = fields.upper_bound(path);
  return next != fields.end() && next->size() > path.size() &&
         std::equal(path.begin(), path.end(), next->begin());
}

std::string to_text(const FieldPath& path) {
  std::string out;
  for (const auto& element : path) {
    const std::string rest = element.substr(std::min<std::size_t>(2, element.size()));
    if (element.starts_with("f:")) {
      out += (out.empty() ? "" : ".") + rest;
      continue;
    }
    const auto keys = json::parse(rest);
    std::string inner;
    if (element.starts_with("k:") && keys && keys->is_object()) {
      for (const auto& [key, value] : keys->items())
        inner += (inner.empty() ? "" : ",") + key + "=" + json::dump(value);
    } else {
      inner = "=" + rest;
    }
    out += "[" + inner + "]";
  }
  return out;
}

}  // namespace tidegate::apiserver::schema
