// SPDX-License-Identifier: Apache-2.0
#include "local/deployment_controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "local/api_calls.h"
#include "local/deployment_objects.h"

namespace tidegate::local {
namespace {

using EventType = kube::EventRecorder::Type;

std::vector<SetState> states(const std::vector<std::shared_ptr<const api::Object>>& sets) {
  std::vector<SetState> out;
  for (const auto& set : sets) out.push_back(set_state(*set));
  return out;
}

// What was done comes back as an event of the store; a conflict only says that it has come first.
bool is_settled(const Result<Json>& result) {
  return result || result.error().code == ErrorCode::kConflict || result.error().code == ErrorCode::kNotFound;
}

}  // namespace

std::shared_ptr<DeploymentController> DeploymentController::make(Cluster& cluster) {
  std::shared_ptr<DeploymentController> self(new DeploymentController(cluster));
  kube::WorkQueue::Options options;
  options.controller = "deployment";
  self->queue_ = std::make_unique<kube::WorkQueue>(
      cluster.io, cluster.scheduler, options,
      [raw = self.get()](api::Key key) { return reconcile(raw->shared_from_this(), std::move(key)); });
  const std::weak_ptr<DeploymentController> weak = self;
  cluster.deployments.on_change([weak](const auto& old, const auto& now) {
    const auto held = weak.lock();
    if (held && held->queue_) held->queue_->add((now ? now : old)->meta.key());
  });
  cluster.replica_sets.on_change([weak](const auto& old, const auto& now) {
    const auto held = weak.lock();
    const api::Meta& meta = (now ? now : old)->meta;
    const auto* owner = controller_of(meta);
    if (held && held->queue_ && owner && owner->kind == "Deployment")
      held->queue_->add({meta.ns, owner->name});
  });
  return self;
}

DeploymentController::Sets DeploymentController::sets_of(const api::Object& deployment,
                                                         const DeploymentSpec& spec) const {
  Sets sets;
  for (const auto& [key, object] : cluster_.replica_sets.all()) {
    const auto* owner = controller_of(object->meta);
    if (key.ns != deployment.meta.ns || !owner || owner->uid != deployment.meta.uid || object->meta.deleted)
      continue;
    const auto hash = object->meta.labels.find(std::string(kTemplateHashLabel));
    if (hash != object->meta.labels.end() && hash->second == spec.template_hash) {
      sets.fresh = object;
    } else {
      sets.old.push_back(object);
    }
  }
  std::sort(sets.old.begin(), sets.old.end(),
            [](const auto& a, const auto& b) { return revision_of(a->meta) < revision_of(b->meta); });
  return sets;
}

Task<kube::ReconcileResult> DeploymentController::reconcile(std::shared_ptr<DeploymentController> self,
                                                            api::Key key) {
  const ObjectPtr deployment = self->cluster_.deployments.get(key);
  if (!deployment || deployment->meta.deleted) co_return kube::Requeue{};
  const DeploymentSpec spec = decode_deployment_spec(*deployment->json);
  const Sets sets = self->sets_of(*deployment, spec);
  if (!sets.fresh) {
    if (spec.paused) co_return kube::Requeue{};
    const auto made = co_await make_fresh(self, deployment, spec, sets);
    if (!made) co_return made.error();
    co_return kube::Requeue{};  // goes on when the store shows it
  }
  const auto noted = co_await note_revision(self, deployment, sets);
  if (!noted) co_return noted.error();
  const std::vector<Scale> scales =
      spec.paused ? std::vector<Scale>{} : plan_rollout(spec, set_state(*sets.fresh), states(sets.old));
  const auto scaled = co_await scale(self, deployment, scales);
  if (!scaled) co_return scaled.error();
  const auto cleaned = co_await remove_history(self, spec, sets);
  if (!cleaned) co_return cleaned.error();
  const auto written = co_await write_status(self, deployment, spec, sets);
  if (!written) co_return written.error();
  kube::Requeue requeue;
  const auto status = deployment_status(spec, set_state(*sets.fresh), states(sets.old));
  if (!status.complete)
    requeue.after = std::chrono::seconds(std::max<std::int64_t>(1, spec.progress_deadline_seconds));
  co_return requeue;
}

Task<Result<void>> DeploymentController::make_fresh(std::shared_ptr<DeploymentController> self,
                                                    ObjectPtr deployment, DeploymentSpec spec, Sets sets) {
  const std::int64_t revision = sets.old.empty() ? 1 : revision_of(sets.old.back()->meta) + 1;
  Json set = replica_set_of(*deployment, spec, revision);
  const auto created = co_await self->cluster_.client.create(api::kReplicaSets, std::move(set));
  if (!is_settled(created)) co_return created.error();
  co_return Result<void>();
}

// The fresh set has the highest revision, also when an old template has come back; the Deployment names it.
Task<Result<void>> DeploymentController::note_revision(std::shared_ptr<DeploymentController> self,
                                                       ObjectPtr deployment, Sets sets) {
  const std::int64_t highest_old = sets.old.empty() ? 0 : revision_of(sets.old.back()->meta);
  const std::int64_t revision = std::max(revision_of(sets.fresh->meta), highest_old + 1);
  const Json annotations = {{std::string(kRevisionAnnotation), std::to_string(revision)}};
  if (revision_of(sets.fresh->meta) != revision) {
    Json patch = {{"metadata", {{"annotations", annotations}}}};
    const api::Key key = sets.fresh->meta.key();
    const auto patched = co_await self->cluster_.client.patch(api::kReplicaSets, key, kube::PatchType::kMerge,
                                                              std::move(patch));
    if (!is_settled(patched)) co_return patched.error();
  }
  if (revision_of(deployment->meta) != revision) {
    Json patch = {{"metadata", {{"annotations", annotations}}}};
    const api::Key key = deployment->meta.key();
    const auto patched = co_await self->cluster_.client.patch(api::kDeployments, key, kube::PatchType::kMerge,
                                                              std::move(patch));
    if (!is_settled(patched)) co_return patched.error();
  }
  co_return Result<void>();
}

Task<Result<void>> DeploymentController::scale(std::shared_ptr<DeploymentController> self,
                                               ObjectPtr deployment, std::vector<Scale> scales) {
  for (const auto& [name, replicas] : scales) {
    const api::Key key{deployment->meta.ns, name};
    const auto before = self->cluster_.replica_sets.get(key);
    if (!before) continue;
    // Guarded: a decision about numbers that have changed meanwhile must not be carried out.
    Json patch = {{"metadata", {{"resourceVersion", before->meta.resource_version}}},
                  {"spec", {{"replicas", replicas}}}};
    const auto patched = co_await self->cluster_.client.patch(api::kReplicaSets, key, kube::PatchType::kMerge,
                                                              std::move(patch));
    if (!patched) {
      if (patched.error().code == ErrorCode::kConflict || patched.error().code == ErrorCode::kNotFound)
        co_return Result<void>();
      co_return patched.error();
    }
    const std::int32_t from = wanted_replicas(*before->json);
    const std::string direction = replicas > from ? "up" : "down";
    self->cluster_.events.record(api::kDeployments, deployment->meta, EventType::kNormal, "ScalingReplicaSet",
                                 "Scaled " + direction + " replica set " + name + " from " +
                                     std::to_string(from) + " to " + std::to_string(replicas));
  }
  co_return Result<void>();
}

Task<Result<void>> DeploymentController::remove_history(std::shared_ptr<DeploymentController> self,
                                                        DeploymentSpec spec, Sets sets) {
  std::int64_t surplus = static_cast<std::int64_t>(sets.old.size()) - std::max(0, spec.revision_history);
  for (const auto& set : sets.old) {
    const auto state = set_state(*set);
    if (surplus <= 0) break;
    if (state.replicas > 0 || state.current > 0) continue;
    DeleteOptions options;
    options.uid = set->meta.uid;
    const api::Key key = set->meta.key();
    const auto removed = co_await remove_with(self->cluster_.client, api::kReplicaSets, key, options);
    if (!removed && removed.error().code != ErrorCode::kNotFound) co_return removed.error();
    --surplus;
  }
  co_return Result<void>();
}

Task<Result<void>> DeploymentController::write_status(std::shared_ptr<DeploymentController> self,
                                                      ObjectPtr deployment, DeploymentSpec spec, Sets sets) {
  const auto status = deployment_status(spec, set_state(*sets.fresh), states(sets.old));
  const Json wanted =
      deployment_status_json(*deployment, spec, status, self->cluster_.scheduler.clock().now());
  Json merged = json::object_at(*deployment->json, "status");
  json::merge_patch(merged, wanted);
  if (merged == json::object_at(*deployment->json, "status")) co_return Result<void>();
  Json patch = {{"metadata", {{"uid", deployment->meta.uid}}}, {"status", wanted}};
  const api::Key key = deployment->meta.key();
  const std::string subresource = "status";
  const auto result = co_await self->cluster_.client.patch(api::kDeployments, key, kube::PatchType::kMerge,
                                                           std::move(patch), subresource);
  if (!is_settled(result)) co_return result.error();
  co_return Result<void>();
}

}  // namespace tidegate::local
