// SPDX-License-Identifier: Apache-2.0
// What kubectl prints: meta.k8s.io/v1 Tables out of objects by printer columns. Pure. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "apiserver/schema/resource_type.h"
#include "base/clock.h"
#include "base/json.h"

namespace tidegate::apiserver::schema {

enum class IncludeObject { kNone, kMetadata, kObject };

// columnDefinitions: Name, the version's columns; Age where the version has no columns at all.
Json table_columns(const Version& version);
Json table_row(const Json& object, const Version& version, IncludeObject include, TimePoint now);
Json make_table(const std::vector<Json>& objects, const Version& version, IncludeObject include, bool columns,
                TimePoint now, const Json& list_metadata);

}  // namespace tidegate::apiserver::schema
