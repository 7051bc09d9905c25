// SPDX-License-Identifier: Apache-2.0
// Where regular expressions of paths stand among prefixes. Thread: none; pure.
#pragma once

#include "routing/table.h"

namespace tidegate::routing {

// Most characters of a service go first, says GRPCRoute, then those of a method. A method of any service is
// the pattern "/[^/]+/Method", which says nothing of the first element: prefixes that say something, which is
// what a service with any method is, go before it. For other routes the place of regular expressions is ours
// to choose.
inline bool says_nothing_of_first_element(const PathMatch& path) { return path.value.starts_with("/[^/]+/"); }

}  // namespace tidegate::routing
