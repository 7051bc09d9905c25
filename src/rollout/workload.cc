// SPDX-License-Identifier: Apache-2.0
#include "rollout/workload.h"

#include <algorithm>
#include <cmath>

#include "rollout/experiment.h"
#include "rollout/header_routes.h"
#include "rollout/limits.h"
#include "rollout/mirrors.h"
#include "rollout/restart.h"
#include "rollout/weights.h"

namespace tidegate::rollout {
namespace {

std::int64_t share_of(std::int64_t replicas, double percent) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(replicas) * percent / 100 - 1e-9));
}

std::int64_t canaries_in_steps(const Turn& turn) {
  const auto& steps = turn.canary().steps;
  const std::int64_t replicas = turn.rollout.spec.replicas;
  const api::SetCanaryScale* scale = nullptr;
  for (std::int64_t i = 0; i <= turn.next.current_step_index && i < static_cast<std::int64_t>(steps.size());
       ++i) {
    if (const auto* step = std::get_if<api::SetCanaryScale>(&steps[i])) scale = step;
  }
  if (scale && scale->replicas) return *scale->replicas;
  if (scale && scale->weight) return share_of(replicas, *scale->weight);
  const std::int64_t least = header_routes_set(turn).empty() && mirrors_set(turn).empty() ? 0 : 1;
  return std::max(least, share_of(replicas, target_weight(turn)));
}

// Selected by a Service, or still an endpoint of one.
bool reachable(const Turn& turn, const std::string& revision) {
  for (const auto* service : {&turn.seen.stable_service, &turn.seen.canary_service}) {
    if (service->revision == revision) return true;
    const auto ready = service->ready.find(revision);
    if (ready != service->ready.end() && ready->second > 0) return true;
  }
  return false;
}

void scale(Turn& turn, const SeenReplicaSet& set, std::int64_t replicas) {
  if (set.replicas == replicas) return;
  turn.note("ScalingReplicaSet", "scaling " + set.name + " from " + std::to_string(set.replicas) + " to " +
                                     std::to_string(replicas));
  turn.actions.emplace_back(ScaleReplicaSet{set.name, replicas});
}

// Grows a set at once; what is too many waits until no traffic needs it.
void drive_set(Turn& turn, const std::string& revision, std::int64_t replicas, bool may_shrink) {
  if (revision.empty()) return;
  const SeenReplicaSet* set = turn.replica_set(revision);
  if (!set) {
    // Only the template of the spec's own revision is known.
    if (revision != turn.rollout.revision) return;
    turn.note("ReplicaSetCreated", "created a ReplicaSet for revision " + revision);
    turn.actions.emplace_back(CreateReplicaSet{revision, replicas});
    return;
  }
  scale(turn, *set, may_shrink ? replicas : std::max(replicas, set->replicas));
}

// A revision that serves no more: down after its delay, which starts once nothing can reach its pods.
void retire(Turn& turn, const SeenReplicaSet& set, Duration delay, bool released) {
  auto& times = turn.next.scale_down_at;
  if (set.replicas == 0) {
    times.erase(set.revision);
    return;
  }
  if (!released) return;
  const auto at = times.try_emplace(set.revision, turn.seen.now + delay).first->second;
  if (turn.seen.now < at) {
    turn.wake_at(at);
    return;
  }
  scale(turn, set, 0);
}

bool in_use(const Turn& turn, const std::string& revision) {
  return revision == turn.next.stable_revision || revision == turn.next.canary_revision;
}

void prune_history(Turn& turn) {
  std::vector<const SeenReplicaSet*> old;
  for (const auto& set : turn.seen.replica_sets) {
    if (!in_use(turn, set.revision) && set.replicas == 0 && set.ready == 0) old.push_back(&set);
  }
  std::sort(old.begin(), old.end(), [](const auto* a, const auto* b) {
    return std::tie(b->created, b->name) < std::tie(a->created, a->name);
  });
  for (auto i = static_cast<std::size_t>(turn.rollout.spec.revision_history_limit); i < old.size(); ++i) {
    turn.actions.emplace_back(DeleteReplicaSet{old[i]->name});
  }
}

void ensure(Turn& turn, const std::string& name, const SeenService& service, const std::string& revision) {
  if (service.exists && service.revision == revision) return;
  turn.note("ServiceUpdated",
            (service.exists ? "Service " : "created Service ") + name + " selects revision " + revision);
  turn.actions.emplace_back(EnsureService{name, revision});
}

void drive_services(Turn& turn) {
  const auto& next = turn.next;
  const bool switched = turn.first() || next.stage == api::Stage::kProving;
  const std::string& stable = switched ? next.canary_revision : next.stable_revision;
  // While the first revision comes up, a Service that is there already goes on serving what it serves.
  const SeenReplicaSet* set = turn.replica_set(stable);
  const bool adopted =
      turn.first() && turn.seen.stable_service.exists && turn.seen.stable_service.revision.empty();
  if (stable.empty() || (adopted && (!set || set->available < turn.enough()))) return;
  ensure(turn, turn.canary().stable_service, turn.seen.stable_service, stable);
  const bool under_way = !next.canary_revision.empty() && next.stage != api::Stage::kAborted;
  const std::string& canary = under_way ? next.canary_revision : stable;
  // Pointed at other pods only while it gets no traffic.
  const bool quiet = turn.first() || (turn.weight_served && next.weights.desired == 0);
  if (!turn.seen.canary_service.exists || quiet)
    ensure(turn, turn.canary().canary_service, turn.seen.canary_service, canary);
}

void set_sticky(Turn& turn, const std::string& name, const SeenService& service, const std::string& value) {
  if (service.exists && service.sticky != value) turn.actions.emplace_back(SetSticky{name, value});
}

// While traffic is split by weight, and good for this revision alone, so that with the next one other users
// come first.
void drive_stickiness(Turn& turn) {
  const auto& strategy = turn.canary();
  const auto& next = turn.next;
  const bool split =
      !turn.first() && (next.stage == api::Stage::kSteps || next.stage == api::Stage::kPromoting);
  const std::string value =
      split && !strategy.sticky_cookie.empty() ? strategy.sticky_cookie + "/" + next.canary_revision : "";
  set_sticky(turn, strategy.stable_service, turn.seen.stable_service, "");
  set_sticky(turn, strategy.canary_service, turn.seen.canary_service, value);
}

// With dynamicStableScale, pods go when the data plane has sent them nothing more for the configured delay.
bool may_shrink_stable(Turn& turn) {
  const auto& strategy = turn.canary();
  if (!strategy.dynamic_stable_scale || turn.next.weights.desired <= 0) return true;
  const auto served = turn.next.weights.verified_at;
  if (!turn.weight_served || !served) return false;
  if (turn.seen.now >= *served + strategy.scale_down_delay) return true;
  turn.wake_at(*served + strategy.scale_down_delay);
  return false;
}

void drive_replica_sets(Turn& turn) {
  const auto& next = turn.next;
  const auto& strategy = turn.canary();
  drive_set(turn, next.stable_revision, wanted_stables(turn) + restart_surge(turn, next.stable_revision),
            may_shrink_stable(turn));
  const bool aborted = next.stage == api::Stage::kAborted;
  if (next.canary_revision != next.stable_revision && !aborted && !(turn.held() && turn.first())) {
    // Nor while it has more weight than the step asks for, since stable is too small to take it back.
    const bool may_shrink = turn.weight_served && next.weights.desired <= target_weight(turn);
    drive_set(turn, next.canary_revision, wanted_canaries(turn) + restart_surge(turn, next.canary_revision),
              may_shrink);
  }
  for (const auto& set : turn.seen.replica_sets) {
    if (aborted && set.revision == next.canary_revision) {
      // A delay of 0 keeps the pods for a look, as in Argo Rollouts.
      const bool released = turn.weight_served && strategy.abort_scale_down_delay > Duration(0) &&
                            !reachable(turn, set.revision);
      retire(turn, set, strategy.abort_scale_down_delay, released);
    } else if (in_use(turn, set.revision)) {
      turn.next.scale_down_at.erase(set.revision);
    } else {
      retire(turn, set, strategy.scale_down_delay, turn.weight_served && !reachable(turn, set.revision));
    }
  }
  std::erase_if(turn.next.scale_down_at, [&](const auto& item) {
    return !turn.replica_set(item.first) && !turn.seen.experiments.contains(item.first);
  });
  prune_history(turn);
}

// How many pods the Deployment may keep. The same for the first revision, for one that came after it has
// failed, and for those ever after.
std::int64_t deployment_size(const Turn& turn, const api::WorkloadRef& reference) {
  using ScaleDown = api::WorkloadRef::ScaleDown;
  const std::int64_t now = turn.seen.deployment.replicas;
  const SeenReplicaSet* set = turn.replica_set(turn.next.canary_revision);
  switch (reference.scale_down) {
    case ScaleDown::kNever:
      return now;
    case ScaleDown::kOnSuccess:
      return turn.first() ? now : 0;
    case ScaleDown::kProgressively:
      if (!turn.first()) return 0;
      return std::clamp<std::int64_t>(turn.rollout.spec.replicas - (set ? set->available : 0), 0, now);
  }
  return now;
}

void scale_deployment(Turn& turn, const std::string& name, std::int64_t replicas) {
  turn.note("ScalingDeployment", "scaling Deployment " + name + " from " +
                                     std::to_string(turn.seen.deployment.replicas) + " to " +
                                     std::to_string(replicas));
  turn.actions.emplace_back(ScaleDeployment{name, replicas});
}

// Not before the stable Service has let go of its pods (G12).
void drive_deployment(Turn& turn, const api::WorkloadRef& reference) {
  if (!turn.first() && turn.seen.stable_service.ready.contains("?")) return;
  const auto replicas = deployment_size(turn, reference);
  if (replicas < turn.seen.deployment.replicas) scale_deployment(turn, reference.name, replicas);
}

struct Drive {
  Turn& turn;

  void operator()(const api::PodTemplate&) const {
    if (turn.has_finalizer() && !experiments_left(turn)) turn.actions.emplace_back(RemoveFinalizer{});
    drive_services(turn);
    drive_replica_sets(turn);
    drive_experiments(turn);
    drive_restart(turn);
  }
  void operator()(const api::WorkloadRef& reference) const {
    if (!turn.has_finalizer()) turn.actions.emplace_back(AddFinalizer{});
    drive_services(turn);
    drive_replica_sets(turn);
    drive_experiments(turn);
    drive_restart(turn);
    drive_deployment(turn, reference);
  }
  void operator()(const api::ServiceSlots&) const {}
};

void release(Turn& turn, const std::string& name, const SeenService& service) {
  if (!service.exists || service.revision.empty()) return;
  turn.note("ServiceUpdated", "Service " + name + " selects pods of any revision");
  turn.actions.emplace_back(ReleaseService{name});
}

std::string not_handed_back(Turn& turn, const api::WorkloadRef& reference) {
  const auto& deployment = turn.seen.deployment;
  const std::int64_t replicas = turn.rollout.spec.replicas;
  if (!deployment.exists) return {};
  if (deployment.replicas < replicas) scale_deployment(turn, reference.name, replicas);
  if (deployment.available < replicas) {
    return std::to_string(deployment.available) + " of " + count_of(replicas, "pod") + " of Deployment " +
           reference.name + " available";
  }
  turn.next.stage = api::Stage::kIdle;  // no weight, no header route
  drive_routes(turn);
  drive_stickiness(turn);
  release(turn, turn.canary().stable_service, turn.seen.stable_service);
  release(turn, turn.canary().canary_service, turn.seen.canary_service);
  const auto ready = turn.seen.stable_service.ready.find("?");
  const bool serves = ready != turn.seen.stable_service.ready.end() && ready->second >= replicas;
  if (turn.seen.stable_service.exists && replicas > 0 && !serves)
    return "the endpoints of Service " + turn.canary().stable_service + " to follow";
  // A route that is no more is not waited for, nor for ever one that nobody serves.
  const bool routed = turn.problems.empty() && !turn.overdue;
  return routed && !turn.weight_served ? turn.waiting : std::string();
}

// The pods go with the Rollout; what stands on the user's routes has to be taken off before.
std::string not_taken_off(Turn& turn) {
  turn.next.stage = api::Stage::kIdle;
  drive_routes(turn);
  drive_stickiness(turn);
  return turn.actions.empty() || turn.overdue ? std::string() : "the routes to be as they were";
}

}  // namespace

std::int64_t wanted_canaries(const Turn& turn) {
  switch (turn.next.stage) {
    case api::Stage::kSteps:
      return canaries_in_steps(turn);
    case api::Stage::kAborted:
      return 0;
    case api::Stage::kIdle:
    case api::Stage::kPromoting:
    case api::Stage::kProving:
    case api::Stage::kSwitching:
    case api::Stage::kSettling:
      return turn.rollout.spec.replicas;
  }
  return 0;
}

std::int64_t wanted_stables(const Turn& turn) {
  const std::int64_t replicas = turn.rollout.spec.replicas;
  const auto stage = turn.next.stage;
  const bool shifting = stage == api::Stage::kSteps || stage == api::Stage::kPromoting;
  if (!turn.canary().dynamic_stable_scale || !shifting || turn.next.returning_since) return replicas;
  const double weight = std::min(target_weight(turn), turn.next.weights.desired);
  return std::min(replicas, std::max<std::int64_t>(1, share_of(replicas, 100 - weight)));
}

void drive_workload(Turn& turn) {
  std::visit(Drive{turn}, turn.rollout.spec.workload);
  drive_stickiness(turn);
}

void hand_back(Turn& turn) {
  if (!turn.has_finalizer()) return;
  const auto* reference = std::get_if<api::WorkloadRef>(&turn.rollout.spec.workload);
  turn.overdue = turn.seen.now >=
                 turn.rollout.meta.deleted.value_or(turn.seen.now) + turn.rollout.spec.progress_deadline;
  turn.wake_within(kTick);
  turn.waiting = reference ? not_handed_back(turn, *reference) : not_taken_off(turn);
  if (turn.waiting.empty()) turn.actions.emplace_back(RemoveFinalizer{});
}

}  // namespace tidegate::rollout
