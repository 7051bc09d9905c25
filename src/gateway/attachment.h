// SPDX-License-Identifier: Apache-2.0
// Which listeners a route attaches to, by its parentRefs: name, sectionName and port; allowed kinds and
// namespaces; hostnames. Thread: none; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/graph.h"

namespace tidegate::gateway {

// Fills RouteNode::parents and what is wrong with them. References to Gateways that are not ours are left
// alone; one to a Gateway that does not exist at all is a problem that no condition can tell.
void attach(const ClusterState& state, Graph& graph, RouteNode& route);

// What two hostnames have in common: "*.example.com" and "a.example.com" give the latter. Empty means any.
// nullopt: nothing.
std::optional<std::string> intersect_hostnames(std::string_view a, std::string_view b);

}  // namespace tidegate::gateway
