// SPDX-License-Identifier: Apache-2.0
#include "local/pod_worker.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "local/api_calls.h"
#include "local/limits.h"

namespace tidegate::local {
namespace {

constexpr Duration kRetry = 500ms;  // the API server is of this machine: away only while it starts or stops

// A container that ran before this program started anew counts as restarted.
std::int32_t former_restarts(const Json& pod, const std::string& container) {
  for (const auto& status : json::array_at(pod, "status.containerStatuses")) {
    if (json::string_at(status, "name") != container) continue;
    const bool ran = json::find(status, "state.running") || json::find(status, "state.terminated") ||
                     json::find(status, "lastState.terminated");
    return static_cast<std::int32_t>(json::int_at(status, "restartCount")) + (ran ? 1 : 0);
  }
  return 0;
}

// A grace period that the deletion itself set wins over the one of the spec.
Duration grace_of(const PodObject& object) {
  const auto seconds =
      json::int_at(*object.json, "metadata.deletionGracePeriodSeconds", object.pod.termination_grace_seconds);
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 24 * 3600));
}

}  // namespace

PodObject decode_pod_object(const Json& json) {
  PodObject object;
  object.pod = api::decode_pod(json);
  object.meta = object.pod.meta;
  object.json = std::make_shared<const Json>(json);
  return object;
}

PodWorker::PodWorker(PodHost& host, const PodObject& object) : host_(host), object_(object) {
  state_.policy = parse_restart_policy(json::string_at(*object.json, "spec.restartPolicy"));
  state_.started = host.scheduler.clock().now();
  state_.host_ip = "127.0.0.1";
  conditions_ = api::decode_conditions(json::array_at(*object.json, "status.conditions"));
}

PodWorker::~PodWorker() = default;

void PodWorker::start() {
  const auto ip = host_.ips.take();
  if (!ip) {
    log::error("no pod address is left", {{"pod", api::to_string(object_.meta.key())}});
    return;
  }
  state_.ip = *ip;
  make_containers();
  if (object_.pod.node.empty()) net::spawn(host_.io, bind_to_node(shared_from_this()));
  changed();  // Pending, with an address, before anything runs
  for (auto& container : containers_) container->start();
}

void PodWorker::make_containers() {
  for (std::size_t i = 0; i < object_.pod.containers.size(); ++i) {
    ContainerOptions options;
    options.pod = object_.pod;
    options.index = i;
    options.ip = state_.ip;
    options.policy = state_.policy;
    options.restarts = former_restarts(*object_.json, object_.pod.containers[i].name);
    const auto& containers = json::array_at(*object_.json, "spec.containers");
    options.folder = json::string_at(containers.at(i), "workingDir", "/");
    ContainerRunner::Callbacks calls;
    calls.changed = [this] { changed(); };
    calls.event = [this](kube::EventRecorder::Type type, std::string_view reason,
                         const std::string& message) {
      host_.events.record(api::kPods, object_.meta, type, reason, message);
    };
    containers_.push_back(std::make_unique<ContainerRunner>(host_, std::move(options), std::move(calls)));
  }
}

void PodWorker::observe(const PodObject& object) {
  object_.meta = object.meta;
  object_.json = object.json;
  if (object.meta.deleted) stop(grace_of(object));
}

void PodWorker::stop(Duration grace) {
  stopping_ = true;
  for (auto& container : containers_) container->stop(grace);
  finish_if_stopped();
}

void PodWorker::shut_down(Duration grace) {
  silent_ = true;
  stop(grace);
}

void PodWorker::abandon() {
  abandoned_ = true;
  containers_.clear();
  // Here and not in the destructor: a write under way may hold us longer than the host lives.
  if (!state_.ip.empty()) host_.ips.give_back(std::exchange(state_.ip, {}));
}

bool PodWorker::stopped() const {
  return stopping_ &&
         std::all_of(containers_.begin(), containers_.end(), [](const auto& c) { return c->stopped(); });
}

Json PodWorker::status() {
  state_.containers.clear();
  for (const auto& container : containers_) state_.containers.push_back(container->state());
  conditions_ = api::merge_conditions(conditions_, pod_conditions(state_), host_.scheduler.clock().now());
  return pod_status(state_, conditions_);
}

void PodWorker::changed() {
  if (abandoned_ || silent_) return;
  dirty_ = true;
  finish_if_stopped();
  if (writing_ || removing_) return;
  writing_ = true;
  net::spawn(host_.io, write_status(shared_from_this()));
}

// One write at a time, always of the latest state: what lies between is never written.
Task<void> PodWorker::write_status(std::shared_ptr<PodWorker> self) {
  while (self->dirty_ && !self->abandoned_ && !self->silent_ && !self->removing_) {
    self->dirty_ = false;
    Json status = self->status();
    if (status == self->written_) continue;
    const api::Key key = self->object_.meta.key();
    Json patch = {{"metadata", {{"uid", self->object_.meta.uid}}}, {"status", status}};
    const std::string subresource = "status";
    const auto result = co_await self->host_.client.patch(api::kPods, key, kube::PatchType::kMerge,
                                                          std::move(patch), subresource);
    if (result) {
      self->written_ = std::move(status);
      continue;
    }
    const auto code = result.error().code;
    if (self->abandoned_ || code == ErrorCode::kNotFound || code == ErrorCode::kCancelled) break;
    log::warning("pod status not written", {{"pod", api::to_string(key)}, {"error", result.error().detail}});
    self->dirty_ = true;
    co_await net::sleep_for(self->host_.scheduler, kRetry);
  }
  self->writing_ = false;
}

Task<void> PodWorker::bind_to_node(std::shared_ptr<PodWorker> self) {
  const api::Key key = self->object_.meta.key();
  Json patch = {{"metadata", {{"uid", self->object_.meta.uid}}},
                {"spec", {{"nodeName", self->host_.node_name}}}};
  const auto result =
      co_await self->host_.client.patch(api::kPods, key, kube::PatchType::kMerge, std::move(patch));
  if (!result && result.error().code != ErrorCode::kNotFound && !self->abandoned_) {
    log::warning("pod not bound to its node",
                 {{"pod", api::to_string(key)}, {"error", result.error().detail}});
  }
}

void PodWorker::finish_if_stopped() {
  if (!stopped() || !object_.meta.deleted || removing_ || abandoned_ || silent_) return;
  removing_ = true;
  net::spawn(host_.io, remove_object(shared_from_this()));
}

Task<void> PodWorker::remove_object(std::shared_ptr<PodWorker> self) {
  while (!self->abandoned_) {
    DeleteOptions options;
    options.uid = self->object_.meta.uid;
    options.grace_seconds = 0;
    const api::Key key = self->object_.meta.key();
    const auto result = co_await remove_with(self->host_.client, api::kPods, key, options);
    if (result || self->abandoned_) co_return;
    const auto code = result.error().code;
    if (code == ErrorCode::kNotFound || code == ErrorCode::kConflict || code == ErrorCode::kCancelled)
      co_return;
    log::warning("pod not removed", {{"pod", api::to_string(key)}, {"error", result.error().detail}});
    co_await net::sleep_for(self->host_.scheduler, kRetry);
  }
}

}  // namespace tidegate::local
