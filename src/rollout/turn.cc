// SPDX-License-Identifier: Apache-2.0
#include "rollout/turn.h"

#include <algorithm>

#include "metrics/gateway_provider.h"

namespace tidegate::rollout {
namespace {

api::Counts counts_of(const metrics::BackendTraffic& traffic, bool durations) {
  api::Counts out{traffic.requests, traffic.failures, {}};
  if (durations) out.durations.assign(traffic.duration_counts.begin(), traffic.duration_counts.end());
  return out;
}

metrics::BackendTraffic traffic_of(const api::Counts& counts) {
  metrics::BackendTraffic out;
  out.requests = counts.requests;
  out.failures = counts.failures;
  const std::size_t buckets = std::min(counts.durations.size(), out.duration_counts.size());
  std::copy_n(counts.durations.begin(), buckets, out.duration_counts.begin());
  return out;
}

}  // namespace

const SeenReplicaSet* Turn::replica_set(std::string_view revision) const {
  for (const auto& set : seen.replica_sets) {
    if (set.revision == revision) return &set;
  }
  return nullptr;
}

bool Turn::held() const {
  return rollout.spec.paused || rollout.meta.annotations.contains(api::kPauseAnnotation);
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

api::TrafficMark Turn::mark(bool durations) const {
  return {seen.now, counts_of(seen.traffic.stable, false), counts_of(seen.traffic.canary, durations)};
}

metrics::BackendTraffic Turn::canary_since(const std::optional<api::TrafficMark>& mark) const {
  return mark ? metrics::since(seen.traffic.canary, traffic_of(mark->canary)) : metrics::BackendTraffic{};
}
metrics::BackendTraffic Turn::stable_since(const std::optional<api::TrafficMark>& mark) const {
  return mark ? metrics::since(seen.traffic.stable, traffic_of(mark->stable)) : metrics::BackendTraffic{};
}

std::string count_of(std::int64_t number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string percent_text(double percent) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g %%", percent);
  return text;
}

std::string figures(const metrics::BackendTraffic& traffic) {
  return count_of(static_cast<std::int64_t>(traffic.requests), "request") + ", " +
         std::to_string(traffic.failures) + " failed";
}

}  // namespace tidegate::rollout
