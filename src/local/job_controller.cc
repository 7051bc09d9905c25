// SPDX-License-Identifier: Apache-2.0
#include "local/job_controller.h"

#include <nlohmann/json.hpp>

#include "local/api_calls.h"
#include "local/replica_plan.h"

namespace tidegate::local {
namespace {

using EventType = kube::EventRecorder::Type;

constexpr const char* kControllerUidLabel = "batch.kubernetes.io/controller-uid";

Json job_pod(const Json& job, const std::string& name) {
  Json pod = pod_from_template(api::kJobs, job, name);
  const std::string job_name = json::string_at(job, "metadata.name"),
                    uid = json::string_at(job, "metadata.uid");
  Json& labels = pod["metadata"]["labels"];
  labels["job-name"] = labels["batch.kubernetes.io/job-name"] =
      job_name;  // by the plain name for older tools
  labels["controller-uid"] = labels[kControllerUidLabel] = uid;
  return pod;
}

}  // namespace

std::shared_ptr<JobController> JobController::make(Cluster& cluster) {
  std::shared_ptr<JobController> self(new JobController(cluster));
  kube::WorkQueue::Options options;
  options.controller = "job";
  self->queue_ = std::make_unique<kube::WorkQueue>(
      cluster.io, cluster.scheduler, options,
      [raw = self.get()](api::Key key) { return reconcile(raw->shared_from_this(), std::move(key)); });
  const std::weak_ptr<JobController> weak = self;
  cluster.jobs.on_change([weak](const auto& old, const auto& now) {
    const auto held = weak.lock();
    if (held && held->queue_) held->queue_->add((now ? now : old)->meta.key());
  });
  cluster.pods.on_change([weak](const auto& old, const auto& now) {
    const auto held = weak.lock();
    const api::Meta& meta = (now ? now : old)->meta;
    const auto* owner = controller_of(meta);
    if (held && held->queue_ && owner && owner->kind == api::kJobs.kind)
      held->queue_->add({meta.ns, owner->name});
  });
  return self;
}

std::vector<std::shared_ptr<const PodObject>> JobController::pods_of(const api::Meta& job) const {
  std::vector<std::shared_ptr<const PodObject>> out;
  for (const auto& [key, object] : cluster_.pods.all()) {
    const auto* owner = controller_of(object->meta);
    if (key.ns == job.ns && owner && owner->uid == job.uid) out.push_back(object);
  }
  return out;
}

Task<kube::ReconcileResult> JobController::reconcile(std::shared_ptr<JobController> self, api::Key key) {
  const auto job = self->cluster_.jobs.get(key);
  if (!job || job->meta.deleted) co_return kube::Requeue{};
  const auto held = self->pods_of(job->meta);
  std::vector<const PodObject*> pods;
  for (const auto& pod : held) pods.push_back(pod.get());
  const JobPlan plan = plan_job(*job->json, pods, self->cluster_.scheduler.clock().now());
  if (plan.expired) {
    DeleteOptions options;
    options.uid = job->meta.uid;
    const auto gone = co_await remove_with(self->cluster_.client, api::kJobs, key, options);
    if (!gone && gone.error().code != ErrorCode::kNotFound) co_return gone.error();
    co_return kube::Requeue{};
  }
  const auto selected = co_await select_pods(self, job);
  if (!selected) co_return selected.error();
  const auto created = co_await create_pods(self, job, plan.create);
  if (!created) co_return created.error();
  const auto removed = co_await remove_pods(self, job, plan.remove);
  if (!removed) co_return removed.error();
  const auto written = co_await write_status(self, job, plan.status);
  if (!written && written.error().code != ErrorCode::kNotFound) co_return written.error();
  kube::Requeue requeue;
  requeue.after = plan.recheck;
  co_return requeue;
}

// Kubernetes' API server fills the selector in; kubectl logs and describe look for it.
Task<Result<void>> JobController::select_pods(std::shared_ptr<JobController> self,
                                              std::shared_ptr<const api::Object> job) {
  if (json::find(*job->json, "spec.selector") != nullptr) co_return Result<void>();
  Json patch = {{"metadata", {{"uid", job->meta.uid}}},
                {"spec", {{"selector", {{"matchLabels", {{kControllerUidLabel, job->meta.uid}}}}}}}};
  const api::Key key = job->meta.key();
  const auto written =
      co_await self->cluster_.client.patch(api::kJobs, key, kube::PatchType::kMerge, std::move(patch));
  if (!written) co_return written.error();
  co_return Result<void>();
}

Task<Result<void>> JobController::create_pods(std::shared_ptr<JobController> self,
                                              std::shared_ptr<const api::Object> job,
                                              std::vector<std::string> names) {
  for (const auto& name : names) {
    Json pod = job_pod(*job->json, name);
    const auto created = co_await self->cluster_.client.create(api::kPods, std::move(pod));
    // Made by an earlier look that the store does not show yet.
    if (!created && created.error().code == ErrorCode::kConflict) continue;
    if (!created) {
      self->cluster_.events.record(api::kJobs, job->meta, EventType::kWarning, "FailedCreate",
                                   "Error creating: " + created.error().detail);
      co_return created.error();
    }
    self->cluster_.events.record(api::kJobs, job->meta, EventType::kNormal, "SuccessfulCreate",
                                 "Created pod: " + name);
  }
  co_return Result<void>();
}

Task<Result<void>> JobController::remove_pods(std::shared_ptr<JobController> self,
                                              std::shared_ptr<const api::Object> job,
                                              std::vector<std::string> names) {
  for (const auto& name : names) {
    const api::Key key{job->meta.ns, name};
    const DeleteOptions options;
    const auto removed = co_await remove_with(self->cluster_.client, api::kPods, key, options);
    if (!removed && removed.error().code != ErrorCode::kNotFound) co_return removed.error();
  }
  co_return Result<void>();
}

Task<Result<void>> JobController::write_status(std::shared_ptr<JobController> self,
                                               std::shared_ptr<const api::Object> job, JobStatus status) {
  const Json wanted = encode_job_status(status);
  Json merged = json::object_at(*job->json, "status");
  json::merge_patch(merged, wanted);
  if (merged == json::object_at(*job->json, "status")) co_return Result<void>();
  for (const auto& condition : status.conditions) {
    if (json::array_at(*job->json, "status.conditions").empty()) {
      const bool failed = condition.type == "Failed";
      self->cluster_.events.record(api::kJobs, job->meta, failed ? EventType::kWarning : EventType::kNormal,
                                   failed ? condition.reason : "Completed",
                                   failed ? condition.message : "Job completed");
    }
  }
  Json patch = {{"metadata", {{"uid", job->meta.uid}}}, {"status", wanted}};
  const api::Key key = job->meta.key();
  const std::string subresource = "status";
  const auto result = co_await self->cluster_.client.patch(api::kJobs, key, kube::PatchType::kMerge,
                                                           std::move(patch), subresource);
  if (!result) co_return result.error();
  co_return Result<void>();
}

}  // namespace tidegate::local
