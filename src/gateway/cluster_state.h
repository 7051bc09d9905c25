// SPDX-License-Identifier: Apache-2.0
// All that the translation looks at: const snapshots of objects by key, the addresses promised so far, and
// what the proxies have acknowledged. Not: time, nor anything that is not in here (invariant I1). Thread:
// none; made by the controller, or from files by `tidegate check`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "api/backend_tls_policy.h"
#include "api/core.h"
#include "api/gateway.h"
#include "api/routes.h"

namespace tidegate::gateway {

template <typename T>
using Snapshots = std::map<api::Key, std::shared_ptr<const T>>;

// Where a listener listens, as proxies name it: "127.77.0.1:80"; over UDP "127.77.0.1:53/udp".
inline std::string endpoint_text(const std::string& address, std::int32_t port, bool udp) {
  return address + ":" + std::to_string(port) + (udp ? "/udp" : "");
}

// What every proxy serves, as Controller::applied() was told.
struct Served {
  using ListenerId = std::tuple<api::Key, std::string, std::string>;  // Gateway, listener, endpoint_text()

  bool known =
      true;  // false: nobody serves here (files); conditions that only proxies could tell are Unknown
  std::set<ListenerId> listeners;                    // open
  std::map<std::string, std::string> failed;         // could not be opened: by endpoint_text(), why
  using RouteId = std::pair<std::string, api::Key>;  // kind, route
  using PlaceId = std::pair<api::Key, std::string>;  // Gateway, listener
  using Places = std::map<PlaceId, std::int64_t>;    // generation
  std::map<RouteId, Places> routes;

  // nullopt: the route is not served there.
  std::optional<std::int64_t> generation(const std::string& kind, const api::Key& route,
                                         const api::Key& gateway, const std::string& listener) const;
  // Of all listeners that serve it; 0: none does.
  std::int64_t lowest_generation(const std::string& kind, const api::Key& route) const;
};

struct ClusterState {
  Snapshots<api::GatewayClass> classes;
  Snapshots<api::Gateway> gateways;
  Snapshots<api::Route> http_routes, grpc_routes, tls_routes, tcp_routes, udp_routes;
  Snapshots<api::ReferenceGrant> grants;
  Snapshots<api::Service> services;
  Snapshots<api::EndpointSlice> slices;
  Snapshots<api::Secret> secrets;
  Snapshots<api::Namespace> namespaces;
  Snapshots<api::BackendTlsPolicy> tls_policies;
  Snapshots<api::ConfigMap> config_maps;

  // Promised in an earlier translation but perhaps not in status yet.
  std::map<api::Key, std::vector<std::string>> assigned;
  Served served;
};

}  // namespace tidegate::gateway
