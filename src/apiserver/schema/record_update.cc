// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "apiserver/schema/managed_fields.h"
#include "apiserver/schema/patch.h"

namespace tidegate::apiserver::schema {
namespace {

// Fields of `now` that are new or have another value than in `before`.
FieldSet changed_fields(const Json& now, const FieldSet& fields, const Json& before, const FieldSet& old) {
  FieldSet changed;
  for (const FieldPath& path : fields) {
    if (!old.contains(path)) {
      changed.insert(path);
      continue;
    }
    if (is_item(path)) continue;  // the item stays; its fields speak for themselves
    const Json* a = field_at(now, path);
    const Json* b = field_at(before, path);
    if (!a || !b || *a != *b) changed.insert(path);
  }
  return changed;
}

void erase_all(FieldSet& from, const FieldSet& paths) {
  for (const FieldPath& path : paths) from.erase(path);
}

}  // namespace

void record_update(Json& now, const Json* before, const Json& schema, const ApplyOptions& options) {
  static const Json none = Json::object();
  const Json& previous = before ? *before : none;
  const FieldSet fields = fields_of(now, schema), old = fields_of(previous, schema);
  const FieldSet changed = changed_fields(now, fields, previous, old);
  FieldSet removed = old;
  erase_all(removed, fields);

  auto entries = managed_entries(now);
  if (changed.empty() && removed.empty()) return;
  ManagedEntry* own = nullptr;
  for (auto& entry : entries) {
    erase_all(entry.fields, removed);
    if (entry.is(options, "Update")) {
      own = &entry;
    } else {
      erase_all(entry.fields, changed);
    }
  }
  if (!changed.empty()) {
    if (!own)
      own = &entries.emplace_back(ManagedEntry{
          .manager = options.manager, .operation = "Update", .subresource = options.subresource});
    own->fields.insert(changed.begin(), changed.end());
    own->api_version = options.api_version;
    own->time = options.operation_time;
  }
  set_managed_entries(now, std::move(entries));
}

}  // namespace tidegate::apiserver::schema
