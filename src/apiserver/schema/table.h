// SPDX-License-Identifier: Apache-2.0
// What kubectl prints: meta.k8s.io/v1 Tables out of objects by printer columns, and the JSON paths in them.
// Pure. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/schema/resource_type.h"
#include "base/clock.h"
#include "base/json.h"

namespace tidegate::apiserver::schema {

// kubectl's and the API server's JSONPath subset: .a.b, ['a'], [0], [*], [?(@.type=="Ready")], all matches in
// order.
Result<std::vector<Json>> json_path(const Json& value, std::string_view path);

enum class IncludeObject { kNone, kMetadata, kObject };

// columnDefinitions: Name, the version's columns; Age where the version has no columns at all.
Json table_columns(const Version& version);
Json table_row(const Json& object, const Version& version, IncludeObject include, TimePoint now);
Json make_table(const std::vector<Json>& objects, const Version& version, IncludeObject include, bool columns,
                TimePoint now, const Json& list_metadata);

}  // namespace tidegate::apiserver::schema
