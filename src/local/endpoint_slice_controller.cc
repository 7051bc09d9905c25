// SPDX-License-Identifier: Apache-2.0
#include "local/endpoint_slice_controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "local/slice_plan.h"

namespace tidegate::local {
namespace {

std::string label(const api::Meta& meta, std::string_view key) {
  const auto it = meta.labels.find(std::string(key));
  return it == meta.labels.end() ? std::string() : it->second;
}

bool is_ours(const api::Meta& slice) { return label(slice, kManagedByLabel) == kSliceManager; }

// What we write of it, as it stands: other fields are none of ours.
bool stands(const Json& wanted, const Json& current) {
  for (const char* path :
       {"ports", "endpoints", "addressType", "metadata.labels", "metadata.ownerReferences"}) {
    const Json* left = json::find(wanted, path);
    const Json* right = json::find(current, path);
    if (!left || !right || *left != *right) return false;
  }
  return true;
}

}  // namespace

std::shared_ptr<EndpointSliceController> EndpointSliceController::make(Cluster& cluster) {
  std::shared_ptr<EndpointSliceController> self(new EndpointSliceController(cluster));
  kube::WorkQueue::Options options;
  options.controller = "endpointslice";
  self->queue_ = std::make_unique<kube::WorkQueue>(
      cluster.io, cluster.scheduler, options,
      [raw = self.get()](api::Key key) { return reconcile(raw->shared_from_this(), std::move(key)); });
  const std::weak_ptr<EndpointSliceController> weak = self;
  const auto with = [weak](auto action) {
    const auto held = weak.lock();
    if (held && held->queue_) action(*held);
  };
  cluster.services.on_change([with](const auto& old, const auto& now) {
    with([&](auto& held) { held.queue_->add((now ? now : old)->meta.key()); });
  });
  cluster.slices.on_change([with](const auto& old, const auto& now) {
    const api::Meta& meta = (now ? now : old)->meta;
    if (is_ours(meta)) with([&](auto& held) { held.queue_->add({meta.ns, label(meta, kServiceNameLabel)}); });
  });
  cluster.pods.on_change([with](const auto& old, const auto& now) {
    with([&](auto& held) { held.enqueue_services((now ? now : old)->meta.ns); });
  });
  return self;
}

// All of the namespace: a pod's labels may have changed away from a Service as well as towards it.
void EndpointSliceController::enqueue_services(const std::string& ns) {
  for (const auto& [key, object] : cluster_.services.all()) {
    if (key.ns == ns && !object->service.selector.empty()) queue_->add(key);
  }
}

Task<kube::ReconcileResult> EndpointSliceController::reconcile(std::shared_ptr<EndpointSliceController> self,
                                                               api::Key key) {
  std::vector<Json> slices;
  const auto object = self->cluster_.services.get(key);
  if (object && !object->meta.deleted && !object->service.selector.empty()) {
    std::vector<const api::Pod*> pods;
    for (const auto& [pod_key, pod] : self->cluster_.pods.all()) {
      if (pod_key.ns == key.ns) pods.push_back(&pod->pod);
    }
    const auto main = self->cluster_.slices.get({key.ns, main_slice_name(object->service)});
    slices = plan_slices(object->service, pods, main ? json::array_at(*main->json, "ports") : Json());
  }
  for (const Json& wanted : slices) {
    Json slice = wanted;
    const auto written = co_await write(self, std::move(slice));
    if (!written) co_return written.error();
  }
  const auto removed = co_await remove_all_but(self, key, slices);
  if (!removed) co_return removed.error();
  co_return kube::Requeue{};
}

Task<Result<void>> EndpointSliceController::write(std::shared_ptr<EndpointSliceController> self, Json slice) {
  const auto meta = api::decode_meta(slice);
  const auto current = self->cluster_.slices.get(meta.key());
  if (!current) {
    const auto created = co_await self->cluster_.client.create(api::kEndpointSlices, std::move(slice));
    // A conflict: the store has not caught up; its event brings us here again.
    if (!created && created.error().code != ErrorCode::kConflict) co_return created.error();
    co_return Result<void>();
  }
  if (stands(slice, *current->json)) co_return Result<void>();
  slice["metadata"]["resourceVersion"] = current->meta.resource_version;
  const auto updated = co_await self->cluster_.client.update(api::kEndpointSlices, std::move(slice));
  if (!updated) co_return updated.error();
  co_return Result<void>();
}

Task<Result<void>> EndpointSliceController::remove_all_but(std::shared_ptr<EndpointSliceController> self,
                                                           api::Key service, std::vector<Json> kept) {
  std::vector<api::Key> extra;
  for (const auto& [key, slice] : self->cluster_.slices.all()) {
    if (key.ns != service.ns || !is_ours(slice->meta) ||
        label(slice->meta, kServiceNameLabel) != service.name)
      continue;
    const bool stays = std::any_of(kept.begin(), kept.end(), [&key = key](const Json& json) {
      return json::string_at(json, "metadata.name") == key.name;
    });
    if (!stays) extra.push_back(key);
  }
  for (const auto& key : extra) {
    const auto removed = co_await self->cluster_.client.remove(api::kEndpointSlices, key);
    if (!removed && removed.error().code != ErrorCode::kNotFound) co_return removed.error();
  }
  co_return Result<void>();
}

}  // namespace tidegate::local
