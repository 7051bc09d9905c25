// SPDX-License-Identifier: Apache-2.0
#include "rollout/stages.h"

#include <algorithm>

#include "base/text.h"
#include "rollout/analysis.h"
#include "rollout/experiment.h"
#include "rollout/lifecycle.h"
#include "rollout/steps/step.h"
#include "rollout/weights.h"
#include "rollout/workload.h"

namespace tidegate::rollout {
namespace {

using api::Stage;

// Everything ends (G10): what waits too long is aborted. True: it was.
bool past_deadline(Turn& turn, std::optional<TimePoint> from = {}) {
  const TimePoint base = std::max(turn.next.progress_at.value_or(turn.seen.now), from.value_or(TimePoint{}));
  const TimePoint end = base + turn.rollout.spec.progress_deadline;
  if (turn.seen.now < end) {
    turn.wake_at(end);
    return false;
  }
  const std::string reason = "no progress for " + text::format_duration(turn.rollout.spec.progress_deadline) +
                             ", waited for " + turn.waiting;
  const auto stage = turn.next.stage;
  if (stage == Stage::kSteps || stage == Stage::kPromoting || stage == Stage::kProving) {
    abort(turn, "deadline", reason);
    return true;
  }
  turn.overdue = true;
  return false;
}

bool waits_for_person(const Turn& turn) {
  return turn.paused("RouteConflict") || turn.paused("MetricFailed") || turn.paused("Inconclusive");
}

// By spec.paused or the annotation. The canary is watched on, nothing else moves.
bool hold(Turn& turn) {
  if (!turn.held()) {
    turn.resume("Held");
    return false;
  }
  const auto annotation = turn.rollout.meta.annotations.find(api::kPauseAnnotation);
  turn.pause("Held", annotation == turn.rollout.meta.annotations.end()
                         ? "spec.paused is true"
                         : "held by annotation: " + annotation->second);
  turn.waiting = "being released";
  return true;
}

std::int64_t available(const Turn& turn, const std::string& revision) {
  const SeenReplicaSet* set = turn.replica_set(revision);
  return set ? set->available : 0;
}

// The weight of this step or stage is on the routes and served. Where not, `waiting` says what is missing.
bool in_effect(Turn& turn) {
  if (turn.next.weights.desired == target_weight(turn)) {
    // Once its clock runs, an experiment judges for itself what it lacks.
    const std::string missing = turn.next.step_started_at ? std::string() : experiment_missing(turn);
    if (!missing.empty()) turn.waiting = missing;
    return missing.empty() && turn.weight_served;
  }
  const bool canaries = allowed_weight(turn) <= target_weight(turn);
  if (!canaries) {
    turn.waiting = "stable to grow before it gets its traffic back";
    return false;
  }
  turn.waiting = std::to_string(turn.ready_canaries()) + " of " +
                 count_of(wanted_canaries(turn), "canary pod") + " ready behind Service " +
                 turn.canary().canary_service;
  return false;
}

bool advance_first(Turn& turn) {
  if (!turn.first() || hold(turn)) return false;
  const SeenReplicaSet* set = turn.replica_set(turn.next.canary_revision);
  const std::int64_t wanted = turn.rollout.spec.replicas;
  if (set && set->replicas == wanted && set->available >= turn.enough()) {
    complete(turn);
    return true;
  }
  turn.waiting = std::to_string(set ? set->available : 0) + " of " + count_of(wanted, "pod") + " available";
  return past_deadline(turn);
}

std::string step_name(const Turn& turn) {
  const auto index = static_cast<std::size_t>(turn.next.current_step_index);
  return "step " + std::to_string(index) + " " + api::describe(turn.canary().steps[index]);
}

bool run_step(Turn& turn) {
  using State = steps::StepResult::State;
  auto& next = turn.next;
  if (!next.step_started_at) {
    next.step_started_at = turn.seen.now;
    next.step_mark = turn.mark();
  }
  const auto& step = turn.canary().steps[static_cast<std::size_t>(next.current_step_index)];
  const auto result = std::visit([&](const auto& kind) { return steps::run(kind, turn); }, step);
  if (result.look_again) turn.wake_at(*result.look_again);
  turn.waiting = result.message;
  switch (result.state) {
    case State::kDone:
      turn.note("StepCompleted", step_name(turn) + ": " + result.message);
      finish_step(turn, "Passed", result.message);
      enter_step(turn, next.current_step_index + 1);
      return true;
    case State::kWaiting:
      return past_deadline(turn, result.deadline_from);
    case State::kPerson:
      return false;
    case State::kFailed:
      abort(turn, "analysis", result.message);
      return true;
  }
  return false;
}

// A step that has begun is judged while its weight is not served, too. A controller that died between the
// two writes of an abort would else put the weight back first.
bool failed_meanwhile(Turn& turn) {
  const auto& steps = turn.canary().steps;
  const auto index = static_cast<std::size_t>(turn.next.current_step_index);
  if (!turn.next.step_started_at || index >= steps.size() || !api::analysis_of(steps[index])) return false;
  const auto result = std::visit([&](const auto& kind) { return steps::run(kind, turn); }, steps[index]);
  if (result.state != steps::StepResult::State::kFailed) return false;
  abort(turn, "analysis", result.message);
  return true;
}

void switch_stable(Turn& turn) {
  turn.next.stable_revision = turn.next.canary_revision;
  turn.enter(Stage::kSwitching);
  turn.note("StableSwitched", "revision " + turn.next.stable_revision + " is the stable one from here on");
}

// All steps have passed, and the canary has its full size. True: the wanted weight is another now.
bool promote(Turn& turn) {
  switch (turn.canary().promotion) {
    case api::Promotion::kWeight:
      switch_stable(turn);
      return true;
    case api::Promotion::kSelector:
      turn.note("ActiveSwitched", "Service " + turn.canary().stable_service + " switches to revision " +
                                      turn.next.canary_revision);
      turn.enter(Stage::kProving);
      if (auto& mark =
              turn.next.rollout_mark) {  // from here on, what the active Service gets is the canary's
        mark->canary.requests += turn.seen.traffic.stable.requests;
        mark->canary.failures += turn.seen.traffic.stable.failures;
      }
      return true;
    case api::Promotion::kSwap:
      // The canary's Service has all traffic. Under its new name, this is the weight 0: nothing is to be
      // written but the status, and the next look sees the roles that it gives.
      complete(turn);
      turn.next.weights = {};
      turn.next.weights.written = true;
      turn.wake_within(Duration(1));
      return false;
  }
  return false;
}

bool advance_steps(Turn& turn) {
  watch_canary(turn);
  if (turn.next.stage != Stage::kSteps) return true;
  if (hold(turn)) return false;
  if (waits_for_person(turn)) {
    turn.waiting = "a person to decide";
    return false;
  }
  if (turn.rollout.spec.replicas == 0) return promote(turn);  // nothing serves, nothing to try
  if (!in_effect(turn)) return failed_meanwhile(turn) || past_deadline(turn);
  if (turn.next.current_step_index < static_cast<std::int64_t>(turn.canary().steps.size()))
    return run_step(turn);
  // Where no step gave the canary traffic, it is judged at full weight, before the stable Service follows.
  if (const std::string missing = unproven(turn); !missing.empty() && target_weight(turn) > 0) {
    turn.waiting = missing;
    return past_deadline(turn);
  }
  turn.note("StepsPassed", "all steps passed; the canary grows to full size");
  turn.enter(Stage::kPromoting);
  return true;
}

bool advance_promoting(Turn& turn) {
  watch_canary(turn);
  if (turn.next.stage != Stage::kPromoting) return true;
  if (hold(turn)) return false;
  if (waits_for_person(turn)) {
    turn.waiting = "a person to decide";
    return false;
  }
  if (!in_effect(turn)) return past_deadline(turn);
  const std::int64_t ready = available(turn, turn.next.canary_revision);
  turn.waiting = ready < turn.enough() ? std::to_string(ready) + " of " +
                                             count_of(turn.rollout.spec.replicas, "canary pod") + " available"
                                       : unproven(turn);
  if (!turn.waiting.empty()) return past_deadline(turn);
  return promote(turn);
}

// The stable Service has as many endpoints of the revision as the canary Service, and none of another one.
bool stable_service_follows(const Turn& turn, const std::string& revision) {
  const auto& stable = turn.seen.stable_service;
  if (stable.revision != revision) return false;
  std::int64_t ready = 0, others = 0;
  for (const auto& [name, count] : stable.ready) (name == revision ? ready : others) += count;
  const auto canary = turn.seen.canary_service.ready.find(revision);
  return others == 0 && ready >= (canary == turn.seen.canary_service.ready.end() ? 0 : canary->second);
}

// What the analysis after the promotion says. True: it has passed, or there is none.
bool proven(Turn& turn) {
  const auto& analysis = turn.canary().post_promotion;
  if (!analysis || turn.next.promote_full) return true;
  const auto result = run_analysis(turn, api::kPostPromotionRun);
  turn.waiting = "the analysis after the promotion: " + result.evidence;
  switch (result.phase) {
    case metrics::Phase::kSuccessful:
      return true;
    case metrics::Phase::kRunning:
      past_deadline(turn, result.waiting_since);
      return false;
    case metrics::Phase::kInconclusive:
      turn.pause("Inconclusive", result.evidence + ": annotate tidegate.dev/promote=full or abort");
      return false;
    case metrics::Phase::kFailed:
    case metrics::Phase::kError:
      if (result.on_failure == api::OnFailure::kAbort) return abort(turn, "analysis", result.evidence), false;
      turn.pause("MetricFailed", result.evidence + ": annotate tidegate.dev/promote=full or abort");
      return false;
  }
  return false;
}

bool advance_proving(Turn& turn) {
  if (hold(turn)) return false;
  if (waits_for_person(turn)) {
    turn.waiting = "a person to decide";
    return false;
  }
  if (!stable_service_follows(turn, turn.next.canary_revision)) {
    turn.waiting = "the endpoints of Service " + turn.canary().stable_service + " to follow";
    return past_deadline(turn);
  }
  if (!proven(turn)) return turn.next.stage == Stage::kAborted;
  switch_stable(turn);
  return true;
}

bool advance_switching(Turn& turn) {
  if (stable_service_follows(turn, turn.next.stable_revision)) {
    turn.enter(Stage::kSettling);
    return true;
  }
  turn.waiting = "the endpoints of Service " + turn.canary().stable_service + " to follow";
  return past_deadline(turn);
}

bool advance_settling(Turn& turn) {
  if (!turn.weight_served) return past_deadline(turn);
  complete(turn);
  return true;
}

}  // namespace

bool advance(Turn& turn) {
  switch (turn.next.stage) {
    case Stage::kIdle:
      return advance_first(turn);
    case Stage::kSteps:
      return advance_steps(turn);
    case Stage::kPromoting:
      return advance_promoting(turn);
    case Stage::kProving:
      return advance_proving(turn);
    case Stage::kSwitching:
      return advance_switching(turn);
    case Stage::kSettling:
      return advance_settling(turn);
    case Stage::kAborted:
      return false;
  }
  return false;
}

}  // namespace tidegate::rollout
