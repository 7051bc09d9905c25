// SPDX-License-Identifier: Apache-2.0
#include "rollout/experiment.h"

#include <algorithm>

#include "base/text.h"
#include "metrics/gateway_provider.h"
#include "rollout/limits.h"

namespace tidegate::rollout {
namespace {

const SeenPart& seen_part(const Turn& turn, const std::string& name) {
  static const SeenPart kNothing;
  const auto found = turn.seen.experiments.find(name);
  return found == turn.seen.experiments.end() ? kNothing : found->second;
}

std::int64_t ready(const Turn& turn, const Part& part) {
  const SeenPart& seen = seen_part(turn, part.name);
  return std::min(seen.available, seen.endpoints);
}

double weight_before(const Turn& turn, const std::string& service) {
  for (const auto& weight : turn.rollout.status.weights.experiments) {
    if (weight.service == service) return weight.percent;
  }
  return 0;
}

template <typename Holds>
bool any_rule(const Turn& turn, Holds holds) {
  for (const auto& [key, route] : turn.seen.routes) {
    if (std::any_of(route.rules.begin(), route.rules.end(), holds)) return true;
  }
  return false;
}

void make(Turn& turn, const Part& part) {
  turn.next.scale_down_at.erase(part.name);
  const SeenPart& seen = seen_part(turn, part.name);
  // Pods are made like those of the revision's ReplicaSet, which has to be there first.
  if (!seen.has_set && turn.replica_set(part.revision)) {
    turn.note("ReplicaSetCreated", "created ReplicaSet " + part.name + " for the experiment");
    turn.actions.emplace_back(CreateExperimentSet{part.name, part.revision, part.of->replicas});
  }
  if (!seen.has_service) turn.actions.emplace_back(CreateExperimentService{part.name});
  if (seen.has_set && seen.replicas != part.of->replicas)
    turn.actions.emplace_back(ScaleReplicaSet{part.name, part.of->replicas});
}

void remove(Turn& turn, const std::string& name, const SeenPart& seen) {
  const bool routed = any_rule(turn, [&](const SeenRule& rule) { return rule.experiments.contains(name); });
  if (routed || !turn.weight_served) return;
  const auto delay = turn.canary().scale_down_delay;
  const auto at = turn.next.scale_down_at.try_emplace(name, turn.seen.now + delay).first->second;
  if (turn.seen.now < at) return turn.wake_at(at);
  turn.note("ExperimentRemoved", "removed ReplicaSet and Service " + name + " of the experiment");
  if (seen.has_service) turn.actions.emplace_back(DeleteService{name});
  if (seen.has_set) turn.actions.emplace_back(DeleteReplicaSet{name});
}

}  // namespace

std::string experiment_name(const api::Rollout& rollout, const std::string& revision, std::size_t step,
                            const std::string& part) {
  return rollout.meta.name + "-" + revision + "-" + std::to_string(step) + "-" + part;
}

bool names_experiment(const api::Rollout& rollout, std::string_view name) {
  const std::string prefix = rollout.meta.name + "-";
  if (!name.starts_with(prefix)) return false;
  const auto parts = text::split(name.substr(prefix.size()), '-');
  const auto is_number = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return parts.size() > 2 && parts[0].size() == kHashSize && is_number(parts[1]) && !parts[2].empty();
}

std::vector<Part> parts_of(const Turn& turn, std::int64_t step) {
  const auto& steps = turn.canary().steps;
  if (step < 0 || step >= std::ssize(steps)) return {};
  const auto index = static_cast<std::size_t>(step);
  const auto* experiment = std::get_if<api::Experiment>(&steps[index]);
  if (!experiment) return {};
  std::vector<Part> out;
  for (const auto& part : experiment->templates) {
    const std::string& revision = part.canary ? turn.rollout.revision : turn.next.stable_revision;
    out.push_back({experiment_name(turn.rollout, revision, index, part.name), revision, &part});
  }
  return out;
}

std::vector<Part> parts_in_effect(const Turn& turn) {
  if (turn.next.stage != api::Stage::kSteps || turn.next.canary_revision != turn.rollout.revision) return {};
  return parts_of(turn, turn.next.current_step_index);
}

std::vector<api::ServiceWeight> experiment_weights(const Turn& turn) {
  std::vector<api::ServiceWeight> out;
  if (!turn.has_finalizer()) return out;
  const bool complete = experiment_missing(turn).empty();
  for (const auto& part : parts_in_effect(turn)) {
    const std::int64_t count = ready(turn, part);
    double weight = part.of->weight;
    if (!complete) weight = std::min(weight, weight_before(turn, part.name));
    if (count > 0 && weight > 0) out.push_back({part.name, weight});
  }
  return out;
}

std::string experiment_missing(const Turn& turn) {
  for (const auto& part : parts_in_effect(turn)) {
    const std::int64_t count = ready(turn, part);
    if (count >= part.of->replicas) continue;
    return std::to_string(count) + " of " + count_of(part.of->replicas, "pod") + " ready behind Service " +
           part.name;
  }
  return {};
}

analysis::Traffic experiment_traffic(const Turn& turn) {
  analysis::Traffic out = turn.seen.traffic;
  bool canary = false, stable = false;
  for (const auto& part : parts_in_effect(turn)) {
    if (part.of->weight <= 0) continue;
    bool& replaced = part.of->canary ? canary : stable;
    auto& side = part.of->canary ? out.canary : out.stable;
    if (!std::exchange(replaced, true)) side = {};
    side += seen_part(turn, part.name).traffic;
  }
  return out;
}

std::uint64_t experiment_requests(const Turn& turn) {
  std::uint64_t out = 0;
  for (const auto& [name, part] : turn.seen.experiments) out += part.traffic.requests;
  return out;
}

void drive_experiments(Turn& turn) {
  const auto wanted = parts_in_effect(turn);
  if (!wanted.empty() && !turn.has_finalizer()) turn.actions.emplace_back(AddFinalizer{});
  for (const auto& part : wanted) make(turn, part);
  for (const auto& [name, seen] : turn.seen.experiments) {
    const bool stays = std::any_of(wanted.begin(), wanted.end(),
                                   [&name = name](const auto& part) { return part.name == name; });
    if (!stays && (seen.has_set || seen.has_service)) remove(turn, name, seen);
  }
}

bool experiments_left(const Turn& turn) {
  if (!turn.next.weights.experiments.empty() || !parts_in_effect(turn).empty()) return true;
  return std::any_of(turn.seen.experiments.begin(), turn.seen.experiments.end(),
                     [](const auto& item) { return item.second.has_set || item.second.has_service; }) ||
         any_rule(turn, [](const SeenRule& rule) { return !rule.experiments.empty(); });
}

}  // namespace tidegate::rollout
