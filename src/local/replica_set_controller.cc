// SPDX-License-Identifier: Apache-2.0
#include "local/replica_set_controller.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "local/api_calls.h"
#include "local/limits.h"

namespace tidegate::local {

using EventType = kube::EventRecorder::Type;

std::shared_ptr<ReplicaSetController> ReplicaSetController::make(Cluster& cluster) {
  std::shared_ptr<ReplicaSetController> self(new ReplicaSetController(cluster));
  kube::WorkQueue::Options options;
  options.controller = "replicaset";
  const std::weak_ptr<ReplicaSetController> weak = self;
  self->queue_ = std::make_unique<kube::WorkQueue>(
      cluster.io, cluster.scheduler, options,
      [raw = self.get()](api::Key key) { return reconcile(raw->shared_from_this(), std::move(key)); });
  cluster.replica_sets.on_change([weak](const auto& old, const auto& now) {
    const auto held = weak.lock();
    if (held && held->queue_) held->queue_->add((now ? now : old)->meta.key());
  });
  cluster.pods.on_change([weak](const auto& old, const auto& now) {
    const auto held = weak.lock();
    if (held && held->queue_) held->enqueue_owner((now ? now : old)->meta);
  });
  return self;
}

void ReplicaSetController::enqueue_owner(const api::Meta& pod) {
  const auto* owner = controller_of(pod);
  if (!owner || owner->kind != "ReplicaSet") return;
  if (const auto it = expected_.find(owner->uid); it != expected_.end()) it->second.erase(pod.name);
  queue_->add({pod.ns, owner->name});
}

std::vector<const api::Pod*> ReplicaSetController::pods_of(const api::Meta& set) const {
  std::vector<const api::Pod*> out;
  for (const auto& [key, object] : cluster_.pods.all()) {
    if (key.ns != set.ns) continue;
    const auto* owner = controller_of(object->meta);
    if (owner && owner->uid == set.uid) out.push_back(&object->pod);
  }
  return out;
}

std::int32_t ReplicaSetController::expected(const api::Meta& set) {
  const auto it = expected_.find(set.uid);
  if (it == expected_.end()) return 0;
  const TimePoint now = cluster_.scheduler.clock().now();
  std::erase_if(it->second, [&](const auto& entry) { return entry.second < now; });
  const auto count = static_cast<std::int32_t>(it->second.size());
  if (count == 0) expected_.erase(it);
  return count;
}

// Five characters, as Kubernetes' generated names have; taken from what never repeats.
std::string ReplicaSetController::fresh_name(const api::Meta& set) {
  const std::string seed = set.uid + "/" + std::to_string(++named_) + "/" +
                           std::to_string(cluster_.scheduler.clock().now().time_since_epoch().count());
  return set.name + "-" + text::safe_hash(seed).substr(0, 5);
}

Task<kube::ReconcileResult> ReplicaSetController::reconcile(std::shared_ptr<ReplicaSetController> self,
                                                            api::Key key) {
  const auto set = self->cluster_.replica_sets.get(key);
  if (!set || set->meta.deleted) {
    if (set) self->expected_.erase(set->meta.uid);
    co_return kube::Requeue{};
  }
  const auto decoded = api::decode_replica_set(*set->json);
  const TimePoint now = self->cluster_.scheduler.clock().now();
  const auto plan = plan_replicas(decoded.replicas, decoded.min_ready_seconds, self->pods_of(set->meta),
                                  self->expected(set->meta), now);
  if (plan.create > 0) {
    const auto created = co_await create_pods(self, set, plan.create);
    if (!created) co_return created.error();
  }
  if (!plan.remove.empty()) {
    const std::vector<std::string> names = plan.remove;
    const auto removed = co_await remove_pods(self, set, names);
    if (!removed) co_return removed.error();
  }
  const auto written = co_await write_status(self, set, plan.status);
  if (!written && written.error().code != ErrorCode::kNotFound) co_return written.error();
  kube::Requeue requeue;
  requeue.after = plan.recheck;
  co_return requeue;
}

Task<Result<void>> ReplicaSetController::create_pods(std::shared_ptr<ReplicaSetController> self,
                                                     std::shared_ptr<const api::Object> set,
                                                     std::int32_t count) {
  for (std::int32_t i = 0; i < count; ++i) {
    const std::string name = self->fresh_name(set->meta);
    self->expected_[set->meta.uid][name] = self->cluster_.scheduler.clock().now() + kExpectationTimeout;
    Json pod = pod_from_template(api::kReplicaSets, *set->json, name);
    const auto created = co_await self->cluster_.client.create(api::kPods, std::move(pod));
    if (!created) {
      self->expected_[set->meta.uid].erase(name);
      if (created.error().code != ErrorCode::kCancelled) {
        self->cluster_.events.record(api::kReplicaSets, set->meta, EventType::kWarning, "FailedCreate",
                                     "Error creating: " + created.error().detail);
      }
      co_return created.error();
    }
    self->cluster_.events.record(api::kReplicaSets, set->meta, EventType::kNormal, "SuccessfulCreate",
                                 "Created pod: " + name);
  }
  co_return Result<void>();
}

Task<Result<void>> ReplicaSetController::remove_pods(std::shared_ptr<ReplicaSetController> self,
                                                     std::shared_ptr<const api::Object> set,
                                                     std::vector<std::string> names) {
  for (const auto& name : names) {
    const api::Key key{set->meta.ns, name};
    const auto pod = self->cluster_.pods.get(key);
    if (!pod || pod->meta.deleted) continue;
    DeleteOptions options;
    options.uid = pod->meta.uid;
    const auto removed = co_await remove_with(self->cluster_.client, api::kPods, key, options);
    if (!removed && removed.error().code != ErrorCode::kNotFound) co_return removed.error();
    self->cluster_.events.record(api::kReplicaSets, set->meta, EventType::kNormal, "SuccessfulDelete",
                                 "Deleted pod: " + name);
  }
  co_return Result<void>();
}

Task<Result<void>> ReplicaSetController::write_status(std::shared_ptr<ReplicaSetController> self,
                                                      std::shared_ptr<const api::Object> set,
                                                      ReplicaStatus status) {
  const Json wanted = {{"replicas", status.replicas},
                       {"fullyLabeledReplicas", status.replicas},
                       {"readyReplicas", status.ready},
                       {"availableReplicas", status.available},
                       {"observedGeneration", set->meta.generation}};
  Json merged = json::object_at(*set->json, "status");
  json::merge_patch(merged, wanted);
  if (merged == json::object_at(*set->json, "status")) co_return Result<void>();
  Json patch = {{"metadata", {{"uid", set->meta.uid}}}, {"status", wanted}};
  const api::Key key = set->meta.key();
  const std::string subresource = "status";
  const auto result = co_await self->cluster_.client.patch(api::kReplicaSets, key, kube::PatchType::kMerge,
                                                           std::move(patch), subresource);
  if (!result) co_return result.error();
  co_return Result<void>();
}

}  // namespace tidegate::local
