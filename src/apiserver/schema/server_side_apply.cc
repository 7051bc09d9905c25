// SPDX-License-Identifier: Apache-2.0
// Server-side apply: what a manager applies is merged into the live object; what it applied before and no
// longer does is removed unless another manager owns it too; what another manager owns with another value is
// a conflict.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "apiserver/schema/list_order.h"
#include "apiserver/schema/managed_fields.h"
#include "apiserver/schema/patch.h"
#include "apiserver/schema/schema_node.h"
#include "apiserver/schema/structural.h"

namespace tidegate::apiserver::schema {
namespace {

using ChildSchema = const Json* (*)(const Json&, std::string_view);

const Json& nothing() {
  static const Json empty = Json::object();
  return empty;
}

Json merged(const Json& live, const Json& applied, const Json& schema, ChildSchema child_of);

Json merged_list(const Json& live, const Json& applied, const Json& schema) {
  const ListType type = list_type(schema);
  if (type == ListType::kAtomic || !live.is_array()) return applied;
  const auto identity = [&](const Json& item) {
    return type == ListType::kMap ? item_element(item, schema) : "v:" + json::dump(item);
  };
  Json out = live;
  std::vector<std::string> order;
  const Json* items = item_schema(schema);
  for (const Json& item : applied) {
    order.push_back(identity(item));
    const auto at =
        std::find_if(out.begin(), out.end(), [&](const Json& one) { return identity(one) == order.back(); });
    if (at == out.end()) {
      out.push_back(item);
    } else {
      *at = merged(*at, item, items ? *items : nothing(), child_schema);
    }
  }
  reorder(out, order, identity);
  return out;
}

Json merged(const Json& live, const Json& applied, const Json& schema, ChildSchema child_of) {
  if (applied.is_array()) return merged_list(live, applied, schema);
  const bool whole = word(schema, "x-kubernetes-map-type") == "atomic";
  if (!applied.is_object() || !live.is_object() || whole) return applied;
  Json out = live;
  for (const auto& [key, value] : applied.get_ref<const Json::object_t&>()) {
    const Json* child = child_of(schema, key);
    const auto at = out.find(key);
    if (at == out.end()) {
      out[key] = value;
    } else {
      *at = merged(*at, value, child ? *child : nothing(), child_schema);
    }
  }
  return out;
}

// Applying null is the same as not applying the field.
void drop_null_members(Json& value) {
  if (!value.is_structured()) return;
  if (value.is_object()) {
    auto& members = value.get_ref<Json::object_t&>();
    std::erase_if(members, [](const auto& member) { return member.second.is_null(); });
  }
  for (Json& child : value) drop_null_members(child);
}

bool same_value(const Json* a, const Json* b) { return a && b && *a == *b; }

// Fields that `fields` and others hold with another value than the live one. With force they are taken from
// the others.
std::string take_conflicts(std::vector<ManagedEntry>& entries, const FieldSet& fields, const Json& live,
                           const Json& applied, const ApplyOptions& options) {
  std::string conflicts;
  for (auto& entry : entries) {
    if (entry.is(options, "Apply")) continue;
    for (const FieldPath& path : fields) {
      if (is_item(path) || !entry.fields.contains(path)) continue;
      if (same_value(field_at(live, path), field_at(applied, path))) continue;
      if (options.force) {
        entry.fields.erase(path);
      } else {
        conflicts += (conflicts.empty() ? "" : "\n") + to_text(path) + "\t" + entry.manager;
      }
    }
  }
  return conflicts;
}

bool owned(const std::vector<ManagedEntry>& entries, const FieldPath& path) {
  return std::any_of(entries.begin(), entries.end(), [&](const ManagedEntry& entry) {
    return entry.fields.contains(path) || has_below(entry.fields, path);
  });
}

// Keys name their item, so they go with it and never alone.
bool is_key_of_item(const FieldPath& path) {
  if (path.size() < 2 || !path[path.size() - 2].starts_with("k:")) return false;
  const auto keys = json::parse(std::string_view(path[path.size() - 2]).substr(2));
  return keys && member(*keys, std::string_view(path.back()).substr(2)) != nullptr;
}

void erase_at(Json& object, const FieldPath& path) {
  const FieldPath parent_path(path.begin(), path.end() - 1);
  Json* parent = field_at(object, parent_path);
  if (!parent) return;
  if (parent->is_object()) {
    parent->erase(path.back().substr(2));
  } else if (const Json* item = field_at(object, path); item && parent->is_array()) {
    const auto at =
        std::find_if(parent->begin(), parent->end(), [&](const Json& one) { return &one == item; });
    if (at != parent->end()) parent->erase(at);
  }
}

// Removes one field and the parents that it leaves empty and nobody owns.
void remove_field(Json& object, FieldPath path, const std::vector<ManagedEntry>& entries) {
  erase_at(object, path);
  while (path.size() > 2) {
    path.pop_back();
    const Json* parent = field_at(object, path);
    if (!parent || !parent->is_structured() || !parent->empty() || owned(entries, path)) return;
    erase_at(object, path);
  }
}

void remove_abandoned(Json& object, const FieldSet& before, const FieldSet& now,
                      const std::vector<ManagedEntry>& entries) {
  for (const FieldPath& path : before) {
    if (now.contains(path) || owned(entries, path) || is_key_of_item(path)) continue;
    if (field_at(object, path)) remove_field(object, path, entries);
  }
}

ManagedEntry& own_entry(std::vector<ManagedEntry>& entries, const ApplyOptions& options) {
  for (auto& entry : entries) {
    if (entry.is(options, "Apply")) return entry;
  }
  return entries.emplace_back(
      ManagedEntry{.manager = options.manager, .operation = "Apply", .subresource = options.subresource});
}

Json without_managed_fields(Json object) {
  if (const auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object()) {
    metadata->erase("managedFields");
  }
  return object;
}

}  // namespace

Result<Json> server_side_apply(const Json* live_object, const Json& applied_object, const Json& schema,
                               const ApplyOptions& options) {
  if (!applied_object.is_object()) return Error{ErrorCode::kInvalid, "what is applied must be an object"};
  if (json::find(applied_object, "metadata.managedFields")) {
    return Error{ErrorCode::kInvalid, "metadata.managedFields must not be set in what is applied"};
  }
  Json applied = applied_object;
  drop_null_members(applied);
  const FieldSet fields = fields_of(applied, schema);
  const Json live = live_object && live_object->is_object() ? *live_object : Json::object();
  auto entries = managed_entries(live);
  // The live object has its defaults; values are compared as if the applied one had them too, or every list
  // that is one field as a whole and has defaults inside would be a conflict.
  Json defaulted = applied;
  apply_defaults(defaulted, schema);
  const std::string conflicts = take_conflicts(entries, fields, live, defaulted, options);
  if (!conflicts.empty()) return Error{ErrorCode::kConflict, conflicts};

  Json result = merged(live, applied, schema, root_child_schema);
  ManagedEntry& own = own_entry(entries, options);
  const FieldSet before = std::exchange(own.fields, fields);
  remove_abandoned(result, before, fields, entries);
  Json whole = without_managed_fields(result);
  apply_defaults(whole, schema);
  const bool changed = before != fields || whole != without_managed_fields(live);
  if (changed || own.time.empty()) own.time = options.operation_time;
  own.api_version = options.api_version;
  set_managed_entries(result, std::move(entries));
  return result;
}

}  // namespace tidegate::apiserver::schema
