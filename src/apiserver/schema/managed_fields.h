// SPDX-License-Identifier: Apache-2.0
// metadata.managedFields as values: who owns which fields, by manager, operation and subresource. Pure.
// Thread: any.
#pragma once

#include <string>
#include <vector>

#include "apiserver/schema/field_set.h"
#include "apiserver/schema/patch.h"
#include "base/json.h"

namespace tidegate::apiserver::schema {

struct ManagedEntry {
  std::string manager, operation, api_version, time, subresource;
  FieldSet fields;

  bool is(const ApplyOptions& options, std::string_view of_operation) const {
    return manager == options.manager && operation == of_operation && subresource == options.subresource;
  }
};

std::vector<ManagedEntry> managed_entries(const Json& object);  // malformed entries are left out
// Writes the entries that own anything; too many updaters are merged into one called "ancient-changes".
void set_managed_entries(Json& object, std::vector<ManagedEntry> entries);

}  // namespace tidegate::apiserver::schema
