// SPDX-License-Identifier: Apache-2.0
#include "rollout/weights.h"

#include <algorithm>
#include <cmath>

#include "rollout/experiment.h"
#include "rollout/header_routes.h"
#include "rollout/limits.h"
#include "rollout/mirrors.h"
#include "rollout/workload.h"

namespace tidegate::rollout {
namespace {

double last_set_weight(const api::CanaryStrategy& canary, std::int64_t index) {
  double weight = 0;
  for (std::int64_t i = 0; i <= index && i < static_cast<std::int64_t>(canary.steps.size()); ++i) {
    if (const auto* step = std::get_if<api::SetWeight>(&canary.steps[i])) weight = step->percent;
  }
  return weight;
}

void find_problems(Turn& turn) {
  const auto& routes = turn.canary().routes;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const std::string path = "spec.strategy.canary.trafficRouting.routes[" + std::to_string(i) + "]";
    const std::string& kind = routes[i].kind;
    const std::string article = kind == "HTTPRoute" ? "an " : "a ";
    const auto found = turn.seen.routes.find({kind, routes[i].name});
    if (found == turn.seen.routes.end() || !found->second.exists) {
      turn.problems.push_back({path + ".name", "\"" + routes[i].name + "\"",
                               article + kind + " in namespace " + turn.rollout.meta.ns});
      continue;
    }
    for (const auto& rule : found->second.missing_rules) {
      turn.problems.push_back(
          {path + ".rules", "\"" + rule + "\"", "the name of a rule of " + kind + " " + routes[i].name});
    }
    if (found->second.rules.empty()) {
      turn.problems.push_back({path + ".name", "\"" + routes[i].name + "\"",
                               article + kind + " with a rule whose backendRefs name the Service " +
                                   turn.canary().stable_service});
    }
  }
}

// What a rule needs to split and copy as is wanted; nothing where it does.
std::optional<RuleWeights> change_of(const SeenRule& rule, const api::WeightStatus& wanted) {
  std::optional<RuleWeights> out;
  if (!splits(rule, wanted.desired, wanted.experiments))
    out = weights_for(rule, wanted.desired, wanted.experiments);
  if (!mirrors(rule, wanted.mirror)) {
    if (!out) out.emplace().rule = rule.index;
    out->mirror = wanted.mirror;
  }
  return out;
}

// No room for one more filter or backend is found out before the API server says so.
bool has_room(Turn& turn, const RouteKey& route, const SeenRule& rule) {
  const std::size_t backends = rule.others.size() + 2 + turn.next.weights.experiments.size();
  if (!turn.next.weights.experiments.empty() && backends > kMaxRuleBackends) {
    turn.problems.push_back({"spec.strategy.canary.steps", "experiment",
                             "room for its backends on rule " + std::to_string(rule.index) + " of " +
                                 to_string(route) + ", which would have " + std::to_string(backends) +
                                 " of " + std::to_string(kMaxRuleBackends)});
    return false;
  }
  if (turn.next.weights.mirror == 0 || !rule.mirrors.empty() || rule.filters < kMaxRuleFilters) return true;
  turn.problems.push_back({"spec.strategy.canary.steps", "setMirrorRoute",
                           "room for a filter on rule " + std::to_string(rule.index) + " of " +
                               to_string(route) + ", which has " + std::to_string(rule.filters) +
                               " already"});
  return false;
}

// Appends the writes that are needed. False: a route differs and is left alone.
bool write_routes(Turn& turn, bool ours) {
  bool complete = true;
  for (const auto& reference : turn.canary().routes) {
    const RouteKey key{reference.kind, reference.name};
    const auto found = turn.seen.routes.find(key);
    if (found == turn.seen.routes.end() || found->second.rules.empty()) {
      complete = false;
      continue;
    }
    const SeenRoute& route = found->second;
    SetWeights action{key, route.resource_version, turn.next.weights.desired, {}};
    for (const auto& rule : route.rules) {
      auto change = change_of(rule, turn.next.weights);
      if (!change) continue;
      complete = false;
      if (has_room(turn, key, rule)) action.rules.push_back(std::move(*change));
    }
    if (action.rules.empty()) continue;
    if (ours && !may_repair(turn, to_string(key),
                            "weights of " + to_string(key) + " were changed by someone else; set back to " +
                                percent_text(turn.next.weights.desired) +
                                (turn.next.weights.mirror > 0
                                     ? ", copies to " + std::to_string(turn.next.weights.mirror) + " %"
                                     : ""))) {
      continue;
    }
    turn.actions.emplace_back(std::move(action));
  }
  return complete;
}

std::string first_not_served(const Turn& turn) {
  for (const auto& reference : turn.canary().routes) {
    const RouteKey key{reference.kind, reference.name};
    const auto found = turn.seen.routes.find(key);
    if (found == turn.seen.routes.end()) return to_string(key) + " does not exist";
    if (!found->second.served) return to_string(key) + ": " + found->second.not_served;
  }
  return {};
}

// The canary's requests that its weight sent.
std::uint64_t split_to_canary(const Turn& turn) {
  const std::uint64_t all = turn.seen.traffic.canary.requests;
  return all - std::min(all, turn.seen.by_header);
}

std::uint64_t beside_canary(const Turn& turn) {
  return turn.seen.traffic.stable.requests + experiment_requests(turn);
}

// What the data plane really split since the weight is served. Small changes are not worth a write.
void observe_weight(Turn& turn) {
  if (!turn.seen.traffic.known || !turn.next.weights.since) return;
  const std::uint64_t now = split_to_canary(turn), then = turn.next.weights.since->canary.requests;
  const std::uint64_t canary = now < then ? now : now - then;
  const std::uint64_t rest = beside_canary(turn), before_rest = turn.next.weights.since->stable.requests;
  const std::uint64_t stable = rest < before_rest ? rest : rest - before_rest;
  if (canary + stable == 0) return;
  const double share = 100.0 * static_cast<double>(canary) / static_cast<double>(canary + stable);
  const double shown = share < 10 ? std::round(share * 10) / 10 : std::round(share);
  const auto& before = turn.next.weights.observed;
  if (!before || std::abs(*before - shown) > 0.05 * std::max(*before, 1.0))
    turn.next.weights.observed = shown;
}

// "10 % to the canary, 5 % to shop-6d4c8-2-baseline"
std::string split_text(const api::WeightStatus& weights) {
  std::string out = percent_text(weights.desired) + " to the canary";
  for (const auto& part : weights.experiments)
    out += ", " + percent_text(part.percent) + " to " + part.service;
  return out;
}

// The wanted weight is on the routes, and the data plane serves them.
void weight_is_served(Turn& turn) {
  auto& weights = turn.next.weights;
  if (!weights.verified_at) {
    weights.verified_at = turn.seen.now;
    weights.since = turn.mark();
    weights.since->canary.requests = split_to_canary(turn);
    weights.since->stable.requests = beside_canary(turn);
    turn.progressed();
    if (!turn.canary().routes.empty() && turn.next.stage != api::Stage::kIdle) {
      turn.note("WeightServed",
                "the data plane serves " + split_text(weights) +
                    (weights.mirror > 0 ? ", and copies of " + std::to_string(weights.mirror) + " %" : ""));
    }
  }
  observe_weight(turn);
}

}  // namespace

double target_weight(const Turn& turn) {
  switch (turn.next.stage) {
    case api::Stage::kIdle:
    case api::Stage::kAborted:
    case api::Stage::kSettling:
      return 0;
    case api::Stage::kSteps:
      return last_set_weight(turn.canary(), turn.next.current_step_index);
    case api::Stage::kPromoting:
    case api::Stage::kProving:
    case api::Stage::kSwitching:
      return turn.canary().routes.empty() ? 0 : 100;
  }
  return 0;
}

namespace {

// Stable has fewer pods than it would need for what a step gives back to it. An abort does not wait (G4).
bool stable_too_small(const Turn& turn, double target) {
  if (!turn.canary().dynamic_stable_scale || turn.next.stage != api::Stage::kSteps) return false;
  if (turn.next.canary_revision != turn.rollout.status.canary_revision ||
      target >= turn.rollout.status.weights.desired)
    return false;
  const SeenReplicaSet* stable = turn.replica_set(turn.next.stable_revision);
  return stable && stable->available < wanted_stables(turn);
}

}  // namespace

double allowed_weight(const Turn& turn) {
  double target = target_weight(turn);
  if (stable_too_small(turn, target)) target = turn.rollout.status.weights.desired;
  if (target <= 0) return 0;
  const std::int64_t ready = turn.ready_canaries();
  if (ready == 0) return 0;
  const auto share =
      static_cast<std::int64_t>(std::ceil(static_cast<double>(turn.rollout.spec.replicas) * target / 100));
  std::int64_t needed = std::max<std::int64_t>(1, std::min(share, wanted_canaries(turn)));
  if (target >= 100) needed = std::min(needed, turn.enough());
  return ready >= needed ? target : std::min(target, turn.rollout.status.weights.desired);
}

bool may_repair(Turn& turn, const std::string& route, std::string repaired) {
  if (turn.paused("RouteConflict")) return false;
  auto& repairs = turn.next.repairs;
  std::erase_if(repairs, [&](TimePoint at) { return turn.seen.now - at >= kRepairWindow; });
  if (!turn.repaired) {
    if (repairs.size() >= kMaxRepairs) {
      turn.pause("RouteConflict", "someone else keeps changing " + route + ": " +
                                      std::to_string(kMaxRepairs) +
                                      " repairs within a minute; the routes are left as they are. " +
                                      "Remove the other writer, then annotate tidegate.dev/promote=step");
      return false;
    }
    repairs.push_back(turn.seen.now);
    turn.repaired = true;
  }
  turn.warn("RouteRepaired", std::move(repaired));
  return true;
}

namespace {

bool no_more(const Turn& turn, const Experiments& experiments) {
  const auto& before = turn.rollout.status.weights.experiments;
  return std::all_of(experiments.begin(), experiments.end(), [&](const auto& wanted) {
    return std::any_of(before.begin(), before.end(), [&](const auto& weight) {
      return weight.service == wanted.service && weight.percent >= wanted.percent;
    });
  });
}

// The rollout goes on from its experiment in this turn, by its own choice: another look might not make it,
// once the route says otherwise.
bool leaves_experiment(const Turn& turn) {
  const auto& before = turn.rollout.status;
  if (before.weights.experiments.empty() || turn.rollout.meta.deleted) return false;
  if (turn.next.stage == api::Stage::kAborted || turn.next.canary_revision != before.canary_revision)
    return false;
  return turn.next.stage != before.stage || turn.next.current_step_index != before.current_step_index;
}

}  // namespace

void drive_routes(Turn& turn) {
  turn.actions.clear();
  turn.problems.clear();
  find_problems(turn);
  auto& weights = turn.next.weights;
  const double wanted = allowed_weight(turn);
  const std::int64_t mirror = wanted_mirror(turn);
  const Experiments experiments = experiment_weights(turn);
  const bool split = wanted == weights.desired && experiments == weights.experiments;
  const bool same = split && mirror == weights.mirror;
  if (!split) {
    weights = {};
    weights.desired = wanted;
    weights.experiments = experiments;
  }
  weights.mirror = mirror;
  // More for the canary is decided in the status first, so that a crash in between never takes it for
  // somebody else's write. Less is not waited for.
  const bool intended =
      wanted <= turn.rollout.status.weights.desired && no_more(turn, experiments) && !leaves_experiment(turn);
  const bool agreed = intended && write_routes(turn, same && weights.written);
  weights.written = intended;
  const std::string not_served = agreed ? first_not_served(turn)
                                 : experiments.empty()
                                     ? "the weight " + percent_text(wanted) + " to be served"
                                     : split_text(weights) + " to be served";
  if (not_served.empty()) {
    weight_is_served(turn);
  } else {
    // A new wait, with a deadline of its own; but not for a weight that somebody changed, be it ourselves by
    // an abort before a crash.
    if (agreed && turn.rollout.status.weights.verified_at) turn.progressed();
    weights.verified_at.reset();
    weights.since.reset();
  }
  const std::string managed = drive_managed_routes(turn);
  if (agreed && managed.empty()) turn.resume("RouteConflict");
  turn.weight_served = not_served.empty() && managed.empty();
  if (!turn.weight_served) turn.waiting = not_served.empty() ? managed : not_served;
}

}  // namespace tidegate::rollout
