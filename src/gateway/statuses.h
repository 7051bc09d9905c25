// SPDX-License-Identifier: Apache-2.0
// The one place where problems become conditions (invariant I6), and where a wanted status is laid over the
// one that stands: times of transition kept, entries of other controllers kept, our own stale ones removed.
// Not: written here (status_writer.h). Thread: none; pure.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "api/gateway.h"
#include "api/routes.h"
#include "gateway/graph.h"

namespace tidegate::gateway {

inline constexpr std::string_view kRouteProgrammed = "tidegate.dev/Programmed";

// What we have to say of each object; without times. Of routes: our own parents alone (none: our entries are
// to go).
struct Statuses {
  std::map<api::Key, api::GatewayClassStatus> classes;
  std::map<api::Key, api::GatewayStatus> gateways;
  std::map<std::string_view, std::map<api::Key, api::RouteStatus>> routes;  // by kind
  std::map<api::Key, api::PolicyStatus> tls_policies;

  // nullopt: we have nothing to say of it.
  std::optional<api::RouteStatus> of_route(std::string_view kind, const api::Key& key) const;
};
// Null: we have nothing to say of it.
std::optional<api::RouteStatus> route_status(const ClusterState& state, const RouteNode& route,
                                             std::string_view controller_name);
Statuses make_statuses(const ClusterState& state, const Graph& graph, std::string_view controller_name);

std::vector<Problem> problems_of(const api::GatewayClass& gateway_class);

// `wanted` over `current`, as it is to be written at `now`.
api::GatewayClassStatus merge_status(const api::GatewayClassStatus& current,
                                     const api::GatewayClassStatus& wanted, std::string_view controller_name,
                                     TimePoint now);
api::GatewayStatus merge_status(const api::GatewayStatus& current, const api::GatewayStatus& wanted,
                                std::string_view controller_name, TimePoint now);
api::RouteStatus merge_status(const api::RouteStatus& current, const api::RouteStatus& wanted,
                              std::string_view controller_name, TimePoint now);
api::PolicyStatus merge_status(const api::PolicyStatus& current, const api::PolicyStatus& wanted,
                               std::string_view controller_name, TimePoint now);

}  // namespace tidegate::gateway
