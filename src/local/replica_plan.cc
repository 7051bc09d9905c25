// SPDX-License-Identifier: Apache-2.0
#include "local/replica_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "local/limits.h"

namespace tidegate::local {
namespace {

// nullopt: not ready.
std::optional<Duration> until_available(const api::Pod& pod, std::int32_t min_ready_seconds, TimePoint now) {
  if (!pod.ready) return std::nullopt;
  const TimePoint at = pod.ready_since.value_or(now) + std::chrono::seconds(min_ready_seconds);
  return std::max(Duration(0), at - now);
}

std::vector<std::string> choose_victims(std::vector<const api::Pod*> pods, std::size_t count) {
  std::sort(pods.begin(), pods.end(), [](const api::Pod* a, const api::Pod* b) {
    if (a->ready != b->ready) return !a->ready;
    if (a->meta.created != b->meta.created) return a->meta.created > b->meta.created;
    return a->meta.name < b->meta.name;
  });
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(count, pods.size()); ++i) names.push_back(pods[i]->meta.name);
  return names;
}

}  // namespace

bool is_active(const api::Pod& pod) {
  return !pod.meta.deleted && pod.phase != "Succeeded" && pod.phase != "Failed";
}

ReplicaPlan plan_replicas(std::int32_t wanted, std::int32_t min_ready_seconds,
                          const std::vector<const api::Pod*>& pods, std::int32_t expected, TimePoint now) {
  wanted = std::clamp(wanted, 0, kMaxReplicas);
  ReplicaPlan plan;
  std::vector<const api::Pod*> active;
  for (const auto* pod : pods) {
    if (!is_active(*pod)) continue;
    active.push_back(pod);
    const auto wait = until_available(*pod, min_ready_seconds, now);
    if (!wait) continue;
    ++plan.status.ready;
    if (wait->count() == 0) {
      ++plan.status.available;
    } else {
      plan.recheck = std::min(*wait, plan.recheck.value_or(*wait));
    }
  }
  plan.status.replicas = static_cast<std::int32_t>(active.size());
  const std::int32_t missing = wanted - plan.status.replicas - expected;
  plan.create = std::clamp(missing, 0, kMaxCreatesAtOnce);
  // Nothing is deleted while creations are on their way: what is not seen yet might be what should go.
  if (missing < 0 && expected == 0)
    plan.remove = choose_victims(std::move(active), static_cast<std::size_t>(-missing));
  return plan;
}

Json pod_from_template(const api::Resource& kind, const Json& owning, const std::string& name) {
  const auto meta = api::decode_meta(owning);
  const Json& from = json::object_at(owning, "spec.template");
  const api::OwnerReference owner{kind.api_version(), std::string(kind.kind), meta.name, meta.uid, true};
  Json metadata = {
      {"namespace", meta.ns}, {"name", name}, {"ownerReferences", Json::array({api::to_json(owner)})}};
  for (const char* field : {"labels", "annotations"}) {
    const Json& value = json::object_at(from, std::string("metadata.") + field);
    if (!value.empty()) metadata[field] = value;
  }
  return {
      {"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", metadata}, {"spec", json::object_at(from, "spec")}};
}

}  // namespace tidegate::local
