// SPDX-License-Identifier: Apache-2.0
#include "rollout/perform.h"

#include <nlohmann/json.hpp>

namespace tidegate::rollout {
namespace {

// Everything that the action coroutines share. They are awaited one at a time, so references outlive them.
struct Call {
  kube::Client& client;
  Cluster& cluster;
  std::shared_ptr<const api::Rollout> rollout;
  Json& document;

  api::Key key(const std::string& name) const { return {rollout->meta.ns, name}; }
};

Error gone(const std::string& what) {
  return {ErrorCode::kConflict, what + " has changed since it was read"};
}

Task<Result<void>> run(Call& call, SetWeights action) {
  const api::Key key = call.key(action.route.name);
  const api::Resource& resource = route_resource(action.route.kind);
  auto& routes = call.cluster.routes(action.route.kind);
  const auto route = routes.get(key);
  if (!route || route->meta.resource_version != action.resource_version)
    co_return gone(to_string(action.route));
  auto patch = route_patch(action, *call.rollout, *route->json);
  if (!patch) co_return patch.error();
  Json body = std::move(*patch);
  auto written = co_await call.client.patch(resource, key, kube::PatchType::kJson, std::move(body));
  if (!written) co_return written.error();
  routes.put_written(route, std::move(*written));
  co_return Result<void>();
}

Task<Result<void>> run(Call& call, PutRoute action) {
  const api::Key key = call.key(action.route.name);
  const api::Resource& resource = route_resource(action.route.kind);
  auto& routes = call.cluster.routes(action.route.kind);
  const auto before = routes.get(key);
  Json document = *action.document;
  if (action.resource_version.empty()) {
    auto made = co_await call.client.create(resource, std::move(document));
    if (!made) co_return made.error();
    routes.put_written(before, std::move(*made));
    co_return Result<void>();
  }
  // The spec is ours, labels and annotations that others have added are not.
  Json patch = Json::array();
  patch.push_back(
      {{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", action.resource_version}});
  patch.push_back({{"op", "replace"}, {"path", "/spec"}, {"value", document["spec"]}});
  auto written = co_await call.client.patch(resource, key, kube::PatchType::kJson, std::move(patch));
  if (!written) co_return written.error();
  routes.put_written(before, std::move(*written));
  co_return Result<void>();
}

// Another controller may have given it another use meanwhile. What is gone already is as it should be.
Task<Result<void>> remove_as_seen(Call& call, api::Resource resource, const api::Meta& meta) {
  const Json options = {{"apiVersion", "v1"},
                        {"kind", "DeleteOptions"},
                        {"propagationPolicy", "Background"},
                        {"preconditions", {{"resourceVersion", meta.resource_version}}}};
  const std::string target = resource.path(meta.ns, meta.name);
  std::string body = json::dump(options);
  auto removed = co_await call.client.raw("DELETE", target, "application/json", std::move(body));
  if (!removed && removed.error().code != ErrorCode::kNotFound) co_return removed.error();
  co_return Result<void>();
}

Task<Result<void>> run(Call& call, DeleteRoute action) {
  const api::Key key = call.key(action.route.name);
  auto& routes = call.cluster.routes(action.route.kind);
  const auto route = routes.get(key);
  if (!route) co_return Result<void>();
  const api::Resource resource = route_resource(action.route.kind);
  auto removed = co_await remove_as_seen(call, resource, route->meta);
  if (removed) routes.remove_written(route);
  co_return removed;
}

Task<Result<void>> run(Call& call, CreateReplicaSet action) {
  const api::Key key = call.key(call.rollout->meta.name + "-" + action.revision);
  const auto before = call.cluster.replica_sets.get(key);
  Json document = replica_set_document(*call.rollout, action.revision, action.replicas);
  auto written = co_await call.client.create(api::kReplicaSets, std::move(document));
  if (!written && written.error().code == ErrorCode::kConflict) {
    // Made by an earlier decision that was not seen yet, or someone else's: look at it.
    written = co_await call.client.get(api::kReplicaSets, key);
  }
  if (!written) co_return written.error();
  call.cluster.replica_sets.put_written(before, std::move(*written));
  co_return Result<void>();
}

Task<Result<void>> run(Call& call, ScaleReplicaSet action) {
  const api::Key key = call.key(action.name);
  const auto set = call.cluster.replica_sets.get(key);
  if (!set) co_return gone("ReplicaSet " + action.name);
  Json patch = {{"metadata", {{"resourceVersion", set->meta.resource_version}}},
                {"spec", {{"replicas", action.replicas}}}};
  auto written =
      co_await call.client.patch(api::kReplicaSets, key, kube::PatchType::kMerge, std::move(patch));
  if (!written) co_return written.error();
  call.cluster.replica_sets.put_written(set, std::move(*written));
  co_return Result<void>();
}

Task<Result<void>> run(Call& call, DeleteReplicaSet action) {
  const api::Key key = call.key(action.name);
  const auto set = call.cluster.replica_sets.get(key);
  if (!set) co_return Result<void>();
  co_return co_await remove_as_seen(call, api::kReplicaSets, set->meta);
}

// There already: made by an earlier decision that was not seen yet, or someone else's; look at it.
Task<Result<Json>> create_or_get(Call& call, api::Resource resource, api::Key key, Json document) {
  auto made = co_await call.client.create(resource, std::move(document));
  if (!made && made.error().code == ErrorCode::kConflict) made = co_await call.client.get(resource, key);
  co_return made;
}

Task<Result<void>> run(Call& call, CreateExperimentSet action) {
  const api::Key key = call.key(action.name);
  const api::Key source = call.key(call.rollout->meta.name + "-" + action.revision);
  const auto before = call.cluster.replica_sets.get(key);
  // From the API server: the cache holds no pod templates.
  auto replica_set = co_await call.client.get(api::kReplicaSets, source);
  if (!replica_set) co_return replica_set.error();
  Json document = experiment_set_document(*call.rollout, action, *replica_set);
  auto made = co_await create_or_get(call, api::kReplicaSets, key, std::move(document));
  if (!made) co_return made.error();
  call.cluster.replica_sets.put_written(before, std::move(*made));
  co_return Result<void>();
}

Task<Result<void>> run(Call& call, CreateExperimentService action) {
  const api::Key key = call.key(action.name);
  const auto before = call.cluster.services.get(key);
  Json document = experiment_service_document(*call.rollout, call.cluster, action.name);
  auto made = co_await create_or_get(call, api::kServices, key, std::move(document));
  if (!made) co_return made.error();
  call.cluster.services.put_written(before, std::move(*made));
  co_return Result<void>();
}

Task<Result<void>> run(Call& call, DeleteService action) {
  const api::Key key = call.key(action.name);
  const auto service = call.cluster.services.get(key);
  if (!service) co_return Result<void>();
  co_return co_await remove_as_seen(call, api::kServices, service->meta);
}

Task<Result<void>> run(Call& call, EnsureService action) {
  const api::Key key = call.key(action.name);
  const auto service = call.cluster.services.get(key);
  if (!service) {
    Json document = service_document(*call.rollout, call.cluster, action);
    auto made = co_await call.client.create(api::kServices, std::move(document));
    if (!made) co_return made.error();
    call.cluster.services.put_written(service, std::move(*made));
    co_return Result<void>();
  }
  Json patch = {{"metadata", {{"resourceVersion", service->meta.resource_version}}},
                {"spec", {{"selector", {{api::kRevisionLabel, action.revision}}}}}};
  auto written = co_await call.client.patch(api::kServices, key, kube::PatchType::kMerge, std::move(patch));
  if (!written) co_return written.error();
  call.cluster.services.put_written(service, std::move(*written));
  co_return Result<void>();
}

Task<Result<void>> run(Call& call, SetSticky action) {
  const api::Key key = call.key(action.service);
  const auto service = call.cluster.services.get(key);
  if (!service) co_return gone("Service " + action.service);
  Json patch = {{"metadata",
                 {{"resourceVersion", service->meta.resource_version},
                  {"annotations",
                   {{api::kStickySplitAnnotation, action.value.empty() ? Json() : Json(action.value)}}}}}};
  auto written = co_await call.client.patch(api::kServices, key, kube::PatchType::kMerge, std::move(patch));
  if (!written) co_return written.error();
  call.cluster.services.put_written(service, std::move(*written));
  co_return Result<void>();
}

std::string escaped(const std::string& key) {
  std::string out;
  for (const char c : key) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

Task<Result<void>> run(Call& call, ReleaseService action) {
  const api::Key key = call.key(action.name);
  const auto service = call.cluster.services.get(key);
  if (!service) co_return gone("Service " + action.name);
  Json owners = Json::array();
  for (const auto& owner : service->meta.owners) {
    if (owner.uid != call.rollout->meta.uid) owners.push_back(api::to_json(owner));
  }
  Json patch = {
      {"metadata", {{"resourceVersion", service->meta.resource_version}, {"ownerReferences", owners}}},
      {"spec", {{"selector", {{api::kRevisionLabel, nullptr}}}}}};
  auto written = co_await call.client.patch(api::kServices, key, kube::PatchType::kMerge, std::move(patch));
  if (!written) co_return written.error();
  call.cluster.services.put_written(service, std::move(*written));
  co_return Result<void>();
}

Task<Result<void>> run(Call& call, ScaleDeployment action) {
  const api::Key key = call.key(action.name);
  const auto deployment = call.cluster.deployments.get(key);
  if (!deployment) co_return gone("Deployment " + action.name);
  Json patch = {{"metadata", {{"resourceVersion", deployment->meta.resource_version}}},
                {"spec", {{"replicas", action.replicas}}}};
  auto written =
      co_await call.client.patch(api::kDeployments, key, kube::PatchType::kMerge, std::move(patch));
  if (!written) co_return written.error();
  call.cluster.deployments.put_written(deployment, std::move(*written));
  co_return Result<void>();
}

// By the Eviction API, which honours PodDisruptionBudgets; where there is none, it is deleted. One that may
// not go now is asked for again at the next look.
Task<Result<void>> run(Call& call, DeletePod action) {
  const api::Key key = call.key(action.name);
  const auto pod = call.cluster.pods.get(key);
  if (!pod) co_return Result<void>();
  const Json options = {{"preconditions", {{"uid", pod->meta.uid}}}};
  const Json eviction = {{"apiVersion", "policy/v1"},
                         {"kind", "Eviction"},
                         {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
                         {"deleteOptions", options}};
  const std::string target = api::kPods.path(key.ns, key.name, "eviction");
  std::string body = json::dump(eviction);
  auto evicted = co_await call.client.raw("POST", target, "application/json", std::move(body));
  if (evicted || evicted.error().code == ErrorCode::kUnavailable) co_return Result<void>();
  const Json plain = {
      {"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"preconditions", {{"uid", pod->meta.uid}}}};
  const std::string name = api::kPods.path(key.ns, key.name);
  body = json::dump(plain);
  auto removed = co_await call.client.raw("DELETE", name, "application/json", std::move(body));
  if (!removed && removed.error().code != ErrorCode::kNotFound) co_return removed.error();
  co_return Result<void>();
}

Task<Result<void>> set_finalizers(Call& call, bool ours) {
  const api::Key key = call.rollout->meta.key();
  Json finalizers = Json::array();
  for (const auto& name : call.rollout->meta.finalizers) {
    if (name != api::kRestoreFinalizer) finalizers.push_back(name);
  }
  if (ours) finalizers.push_back(api::kRestoreFinalizer);
  Json patch = {{"metadata",
                 {{"resourceVersion", json::string_at(call.document, "metadata.resourceVersion")},
                  {"finalizers", finalizers}}}};
  auto written = co_await call.client.patch(api::kRollouts, key, kube::PatchType::kMerge, std::move(patch));
  if (!written) co_return written.error();
  call.document = std::move(*written);
  co_return Result<void>();
}

Task<Result<void>> run(Call& call, AddFinalizer) { co_return co_await set_finalizers(call, true); }
Task<Result<void>> run(Call& call, RemoveFinalizer) { co_return co_await set_finalizers(call, false); }

Task<Result<void>> run(Call& call, RemoveAnnotation action) {
  const api::Key key = call.rollout->meta.key();
  const std::string path = "/metadata/annotations/" + escaped(action.key);
  Json patch = Json::array();
  patch.push_back({{"op", "test"},
                   {"path", "/metadata/resourceVersion"},
                   {"value", json::string_at(call.document, "metadata.resourceVersion")}});
  patch.push_back({{"op", "test"}, {"path", path}, {"value", action.value}});
  patch.push_back({{"op", "remove"}, {"path", path}});
  auto written = co_await call.client.patch(api::kRollouts, key, kube::PatchType::kJson, std::move(patch));
  if (!written) co_return written.error();
  call.document = std::move(*written);
  co_return Result<void>();
}

}  // namespace

Task<Result<void>> perform(kube::Client& client, Cluster& cluster,
                           std::shared_ptr<const api::Rollout> rollout, Action action, Json& document) {
  Call call{client, cluster, std::move(rollout), document};
  auto task = std::visit([&](auto kind) { return run(call, std::move(kind)); }, std::move(action));
  co_return co_await std::move(task);
}

}  // namespace tidegate::rollout
