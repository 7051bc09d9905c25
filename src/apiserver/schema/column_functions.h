// SPDX-License-Identifier: Apache-2.0
// Cells of built-in kinds that no JSON path gives, by the name in a column's x-tidegate-column: "pod-ready",
// or with an argument "count:data,binaryData". They print what kubectl's users are used to. Pure. Thread:
// any.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace tidegate::apiserver::schema {

bool is_column_function(std::string_view function);

// null for a name that is none.
Json compute_cell(std::string_view function, const Json& object, TimePoint now);

// "5m2s" since an RFC 3339 time; "<unknown>" where it is none.
std::string age_of(std::string_view time, TimePoint now);

}  // namespace tidegate::apiserver::schema
