// SPDX-License-Identifier: Apache-2.0
// kubectl's and the API server's JSONPath subset, for printer columns, scale paths and web metrics: .a.b,
// ['a'], [0], [-1], [*], [?(@.type=="Ready")], with or without $ and braces. Not RFC 9535: no recursive
// descent, no slices, no unions. Total. Thread: none; pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"

namespace tidegate::json {

inline constexpr std::size_t kMaxPathParts = 64;      // printer columns need under ten
inline constexpr std::size_t kMaxPathResults = 4096;  // so that [*][*] cannot multiply without end

// All that the path matches, in the document's order; nothing where it leads nowhere. Errors name the path.
Result<std::vector<Json>> select(const Json& value, std::string_view path);

}  // namespace tidegate::json
