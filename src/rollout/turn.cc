// SPDX-License-Identifier: Apache-2.0
#include "rollout/turn.h"

#include <algorithm>

namespace tidegate::rollout {
const SeenReplicaSet* Turn::replica_set(std::string_view revision) const {
  for (const auto& set : seen.replica_sets) {
    if (set.revision == revision) return &set;
  }
  return nullptr;
}

bool Turn::held() const {
  return rollout.spec.paused || rollout.meta.annotations.contains(api::kPauseAnnotation);
}

std::int64_t Turn::enough() const {
  const std::int64_t replicas = rollout.spec.replicas;
  return std::max(std::min<std::int64_t>(1, replicas), replicas - canary().max_unavailable.of(replicas));
}

bool Turn::has_finalizer() const {
  const auto& all = rollout.meta.finalizers;
  return std::find(all.begin(), all.end(), api::kRestoreFinalizer) != all.end();
}

std::int64_t Turn::ready_canaries() const {
  const SeenReplicaSet* set = replica_set(next.canary_revision);
  const auto endpoints = seen.canary_service.ready.find(next.canary_revision);
  if (!set || endpoints == seen.canary_service.ready.end()) return 0;
  return std::min(set->available, endpoints->second);
}

void Turn::note(std::string reason, std::string message) {
  notes.push_back({false, std::move(reason), std::move(message)});
}
void Turn::warn(std::string reason, std::string message) {
  notes.push_back({true, std::move(reason), std::move(message)});
}

void Turn::wake_within(Duration delay) {
  delay = std::max(delay, Duration(1));
  if (!wake || delay < *wake) wake = delay;
}
void Turn::wake_at(TimePoint time) { wake_within(time - seen.now); }

void Turn::enter(api::Stage stage) {
  next.stage = stage;
  progressed();
}

void Turn::pause(std::string_view reason, std::string message) {
  for (auto& pause : next.pause_conditions) {
    if (pause.reason != reason) continue;
    pause.message = std::move(message);
    return;
  }
  warn("RolloutPaused", message);
  next.pause_conditions.push_back({std::string(reason), seen.now, std::move(message)});
}

void Turn::resume(std::string_view reason) {
  const auto removed =
      std::erase_if(next.pause_conditions, [&](const auto& pause) { return pause.reason == reason; });
  if (removed > 0) progressed();
}

bool Turn::paused(std::string_view reason) const {
  return std::any_of(next.pause_conditions.begin(), next.pause_conditions.end(),
                     [&](const auto& pause) { return pause.reason == reason; });
}

api::TrafficMark Turn::mark() const { return analysis::mark(seen.traffic, seen.now, false); }

metrics::BackendTraffic Turn::canary_since(const std::optional<api::TrafficMark>& mark) const {
  return analysis::canary_since(seen.traffic, mark);
}
metrics::BackendTraffic Turn::stable_since(const std::optional<api::TrafficMark>& mark) const {
  return analysis::stable_since(seen.traffic, mark);
}

std::string percent_text(double percent) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g %%", percent);
  return text;
}

}  // namespace tidegate::rollout
