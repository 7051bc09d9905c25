// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/managed_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apiserver/schema/limits.h"

namespace tidegate::apiserver::schema {
namespace {

Json encode(const ManagedEntry& entry) {
  Json out = {{"manager", entry.manager},        {"operation", entry.operation},
              {"apiVersion", entry.api_version}, {"time", entry.time},
              {"fieldsType", "FieldsV1"},        {"fieldsV1", encode_fields(entry.fields)}};
  if (!entry.subresource.empty()) out["subresource"] = entry.subresource;
  return out;
}

void merge_oldest(std::vector<ManagedEntry>& entries) {
  std::vector<std::size_t> updates;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].operation == "Update") updates.push_back(i);
  }
  if (updates.size() <= kMaxUpdateManagers) return;
  std::stable_sort(updates.begin(), updates.end(),
                   [&](std::size_t a, std::size_t b) { return entries[a].time < entries[b].time; });
  const std::size_t surplus = updates.size() - kMaxUpdateManagers;
  ManagedEntry& into = entries[updates[0]];
  for (std::size_t i = 1; i <= surplus; ++i) {
    into.fields.merge(entries[updates[i]].fields);
    into.time = entries[updates[i]].time;
    entries[updates[i]].fields.clear();
  }
  into.manager = "ancient-changes";
}

}  // namespace

std::vector<ManagedEntry> managed_entries(const Json& object) {
  std::vector<ManagedEntry> out;
  for (const Json& entry : json::array_at(object, "metadata.managedFields")) {
    const Json* fields = json::find(entry, "fieldsV1");
    if (!fields) continue;
    out.push_back({json::string_at(entry, "manager"), json::string_at(entry, "operation"),
                   json::string_at(entry, "apiVersion"), json::string_at(entry, "time"),
                   json::string_at(entry, "subresource"), decode_fields(*fields)});
  }
  return out;
}

void set_managed_entries(Json& object, std::vector<ManagedEntry> entries) {
  std::erase_if(entries, [](const ManagedEntry& entry) { return entry.fields.empty(); });
  merge_oldest(entries);
  Json list = Json::array();
  for (const auto& entry : entries) {
    if (!entry.fields.empty()) list.push_back(encode(entry));
  }
  if (!object.is_object()) return;
  Json& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  if (list.empty()) {
    metadata.erase("managedFields");
  } else {
    metadata["managedFields"] = std::move(list);
  }
}

}  // namespace tidegate::apiserver::schema
