// SPDX-License-Identifier: Apache-2.0
// From an HTTPRoute's filters to the table's. Thread: none; pure.
#pragma once

#include <string>
#include <vector>

#include "gateway/backends.h"
#include "gateway/graph.h"

namespace tidegate::gateway {

enum class FilterPlace : std::uint8_t { kRule, kBackend };

// `field`: the path of the list. `prefix_only`: every match of the rule is by PathPrefix, so that a prefix
// can be replaced. A value that we do not know sets route.valid to false.
std::vector<routing::Filter> translate_filters(RouteNode& route, Backends& backends,
                                               const std::vector<api::RouteFilter>& filters,
                                               const std::string& field, FilterPlace place, bool prefix_only);

}  // namespace tidegate::gateway
