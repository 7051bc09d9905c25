// SPDX-License-Identifier: Apache-2.0
// What the Rollout controller has seen of the cluster: a store a kind. Thread: control. Owns: the caches.
#pragma once

#include "api/core.h"
#include "api/routes.h"
#include "kube/store.h"
#include "rollout/validate.h"

namespace tidegate::rollout {

struct Cluster {
  kube::Store<api::Rollout> rollouts{read_rollout};
  kube::Store<api::ReplicaSet> replica_sets{api::decode_replica_set};
  kube::Store<api::Pod> pods{api::decode_pod};
  kube::Store<api::Service> services{api::decode_service};
  kube::Store<api::EndpointSlice> slices{api::decode_endpoint_slice};
  kube::Store<api::Object> deployments{[](const Json& json) { return api::make_object(json); }};
  // As documents: whatever stands on a route that we do not know has to survive (guarantee G7).
  kube::Store<api::Object> http_routes{[](const Json& json) { return api::make_object(json); }};
  kube::Store<api::Object> grpc_routes{[](const Json& json) { return api::make_object(json); }};

  kube::Store<api::Object>& routes(std::string_view kind) {
    return kind == api::kGrpcRoutes.kind ? grpc_routes : http_routes;
  }
  const kube::Store<api::Object>& routes(std::string_view kind) const {
    return kind == api::kGrpcRoutes.kind ? grpc_routes : http_routes;
  }

  // As documents: their metrics are read once their args are known.
  kube::Store<api::Object> templates{[](const Json& json) { return api::make_object(json); }};
  kube::Store<api::Object> cluster_templates{[](const Json& json) { return api::make_object(json); }};
  kube::Store<api::AnalysisRun> runs{api::decode_analysis_run};  // records of analyses

  // Without GRPCRoutes, Deployments and pods, which are watched only where a Rollout needs them: a cluster
  // need not know GRPCRoutes, and pods are many.
  bool synced() const {
    return rollouts.synced() && replica_sets.synced() && services.synced() && slices.synced() &&
           http_routes.synced() && templates.synced() && cluster_templates.synced() && runs.synced();
  }
};

inline const api::Resource& route_resource(std::string_view kind) {
  return kind == api::kGrpcRoutes.kind ? api::kGrpcRoutes : api::kHttpRoutes;
}

// Calls visit(object) for the objects of one namespace.
template <typename T, typename Visit>
void each_in(const kube::Store<T>& store, const std::string& ns, Visit visit) {
  for (auto it = store.all().lower_bound({ns, ""}); it != store.all().end() && it->first.ns == ns; ++it) {
    visit(*it->second);
  }
}

}  // namespace tidegate::rollout
