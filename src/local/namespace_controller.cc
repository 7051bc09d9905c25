// SPDX-License-Identifier: Apache-2.0
#include "local/namespace_controller.h"

#include <nlohmann/json.hpp>

#include "local/api_calls.h"
#include "local/limits.h"

namespace tidegate::local {

std::shared_ptr<NamespaceController> NamespaceController::make(Cluster& cluster,
                                                               std::shared_ptr<ResourceCatalog> catalog) {
  std::shared_ptr<NamespaceController> self(new NamespaceController(cluster, std::move(catalog)));
  kube::WorkQueue::Options options;
  options.controller = "namespace";
  self->queue_ = std::make_unique<kube::WorkQueue>(
      cluster.io, cluster.scheduler, options,
      [raw = self.get()](api::Key key) { return reconcile(raw->shared_from_this(), std::move(key)); });
  const std::weak_ptr<NamespaceController> weak = self;
  cluster.namespaces.on_change([weak](const auto&, const auto& now) {
    const auto held = weak.lock();
    if (held && held->queue_ && now && now->meta.deleted) held->queue_->add(now->meta.key());
  });
  return self;
}

Task<kube::ReconcileResult> NamespaceController::reconcile(std::shared_ptr<NamespaceController> self,
                                                           api::Key key) {
  const auto object = self->cluster_.namespaces.get(key);
  if (!object || !object->meta.deleted) co_return kube::Requeue{};
  // Asked anew: a kind that came a moment ago may have objects here.
  const auto refreshed = co_await ResourceCatalog::refresh(self->catalog_, self->cluster_.client);
  if (!refreshed) co_return refreshed.error();
  std::size_t left = 0;
  const std::vector<api::Resource> kinds = self->catalog_->all();
  for (const auto& resource : kinds) {
    if (!resource.namespaced) continue;
    const auto count = co_await empty(self, resource, key.name);
    if (!count) co_return count.error();
    left += *count;
  }
  if (left > 0) co_return kube::Requeue{kNamespacePoll};
  (void)co_await empty(self, api::kEvents, key.name);  // last: emptying writes some
  const auto finalized = co_await finalize(self, object);
  if (!finalized && finalized.error().code != ErrorCode::kNotFound) co_return finalized.error();
  co_return kube::Requeue{};
}

Task<Result<std::size_t>> NamespaceController::empty(std::shared_ptr<NamespaceController> self,
                                                     api::Resource resource, std::string ns) {
  kube::ListOptions in_namespace;
  in_namespace.ns = ns;
  const auto list = co_await self->cluster_.client.list(resource, in_namespace);
  if (!list) co_return list.error();
  for (const auto& item : list->items) {
    const auto meta = api::decode_meta(item);
    if (meta.deleted) continue;
    DeleteOptions options;
    options.uid = meta.uid;
    const api::Key key = meta.key();
    const auto removed = co_await remove_with(self->cluster_.client, resource, key, options);
    if (!removed && removed.error().code != ErrorCode::kNotFound &&
        removed.error().code != ErrorCode::kConflict)
      co_return removed.error();
  }
  co_return list->items.size();
}

Task<Result<void>> NamespaceController::finalize(std::shared_ptr<NamespaceController> self,
                                                 std::shared_ptr<const api::Object> ns) {
  Json left = Json::array();
  for (const auto& finalizer : json::array_at(*ns->json, "spec.finalizers")) {
    if (finalizer != "kubernetes") left.push_back(finalizer);
  }
  Json object = *ns->json;
  object["apiVersion"] = "v1";
  object["kind"] = "Namespace";
  object["spec"]["finalizers"] = left;
  const std::string method = "PUT", target = api::kNamespaces.path({}, ns->meta.name, "finalize"),
                    type = "application/json";
  const std::string body = json::dump(object);
  const auto result = co_await self->cluster_.client.raw(method, target, type, body);
  if (!result) co_return result.error();
  co_return Result<void>();
}

}  // namespace tidegate::local
