// SPDX-License-Identifier: Apache-2.0
// BackendTLSPolicies (GEP-1897): which Service ports are spoken to over TLS, and what is wrong with a policy.
// Of several for one target the oldest wins, then the first by namespace and name; one for a port goes before
// one for the whole Service. A policy that can't be obeyed leaves its backends without any way to them: never
// in the clear. Thread: none; pure, lives for one translation.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "gateway/graph.h"

namespace tidegate::gateway {

class BackendTls {
 public:
  // Fills `policies`, which outlives this.
  BackendTls(const ClusterState& state, std::vector<PolicyNode>& policies);

  // Null: no policy, in the clear.
  const routing::BackendTls* of(const api::Service& service, const api::ServicePort& port) const;
  // The route leads there: its Gateways are ancestors of each policy for it, also of those that lost.
  void note_use(RouteNode& route, const api::Service& service, const api::ServicePort& port);

 private:
  using Target = std::tuple<std::string, std::string, std::string>;  // namespace, Service, port's name or ""

  void find_targets(PolicyNode& node);

  std::map<Target, std::vector<PolicyNode*>> by_target_;  // the winner first
};

}  // namespace tidegate::gateway
