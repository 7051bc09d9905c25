// SPDX-License-Identifier: Apache-2.0
#include "rollout/commands.h"

#include "rollout/lifecycle.h"
#include "rollout/restart.h"

namespace tidegate::rollout {
namespace {

std::string who(const Turn& turn, const char* key) {
  const auto found = turn.seen.set_by.find(key);
  return found == turn.seen.set_by.end() || found->second.empty() ? "someone" : found->second;
}

bool under_way(const Turn& turn) {
  const auto stage = turn.next.stage;
  return stage == api::Stage::kSteps || stage == api::Stage::kPromoting || stage == api::Stage::kProving;
}

void obey_abort(Turn& turn, const std::string& value) {
  const std::string by = who(turn, api::kAbortAnnotation);
  if (!turn.first() && under_way(turn)) {
    abort(turn, by, value.empty() ? "aborted by " + by : value);
  } else {
    turn.warn("AbortIgnored", by + " asked for an abort: there is no rollout to abort");
  }
}

void obey_retry(Turn& turn, const std::string&) {
  const std::string by = who(turn, api::kRetryAnnotation);
  if (turn.next.stage == api::Stage::kAborted) {
    turn.note("RolloutRetried", by + " retries revision " + turn.rollout.revision);
    turn.next.canary_revision.clear();  // adopt_revision begins anew
    turn.enter(api::Stage::kIdle);
  } else {
    turn.warn("RetryIgnored", by + " asked for a retry: nothing was aborted");
  }
}

void promote_full(Turn& turn, const std::string& by) {
  if (turn.first() || (!under_way(turn) && turn.next.stage != api::Stage::kAborted)) {
    turn.warn("PromoteIgnored", by + " asked for a promotion: there is no rollout to promote");
    return;
  }
  turn.note("RolloutPromoted",
            by + " promotes revision " + turn.next.canary_revision + " in full, past all steps and analyses");
  turn.next.abort.reset();
  turn.next.pause_conditions.clear();
  turn.next.promote_full = true;
  turn.enter(api::Stage::kPromoting);
}

void promote_step(Turn& turn, const std::string& by) {
  auto& next = turn.next;
  if (turn.paused("RouteConflict")) {
    turn.note("RolloutResumed", by + " takes the routes back");
    turn.resume("RouteConflict");
    next.repairs.clear();
    return;
  }
  if (next.stage != api::Stage::kSteps) {
    turn.warn("PromoteIgnored", by + " asked for a promotion: no step is waiting");
    return;
  }
  const bool background = turn.paused("MetricFailed") || turn.paused("Inconclusive");
  if (background) {
    turn.note("RolloutResumed", by + " goes on; the analysis begins anew");
    turn.resume("MetricFailed");
    turn.resume("Inconclusive");
    std::erase_if(next.analysis_runs, [](const auto& run) { return run.step < 0; });
  }
  const auto size = static_cast<std::int64_t>(turn.canary().steps.size());
  const bool at_analysis =
      next.current_step_index < size &&
      api::analysis_of(turn.canary().steps[static_cast<std::size_t>(next.current_step_index)]);
  if ((background && !at_analysis) || next.current_step_index >= size) return;
  turn.note("StepPromoted", by + " promotes past step " + std::to_string(next.current_step_index));
  finish_step(turn, "Promoted", "by " + by);
  enter_step(turn, next.current_step_index + 1);
}

void obey_promote(Turn& turn, const std::string& value) {
  const std::string by = who(turn, api::kPromoteAnnotation);
  if (value == "full") {
    promote_full(turn, by);
  } else if (value == "step") {
    promote_step(turn, by);
  } else {
    turn.warn("PromoteIgnored",
              "annotation tidegate.dev/promote is \"" + value + "\": expected step or full");
  }
}

void obey_restart(Turn& turn, const std::string&) {
  const std::string by = who(turn, api::kRestartAnnotation);
  if (std::holds_alternative<api::ServiceSlots>(turn.rollout.spec.workload)) {
    turn.warn("RestartIgnored",
              by + " asked for new pods: what stands behind two slots is not ours to restart");
  } else {
    begin_restart(turn, by);
  }
}

struct Command {
  const char* key;
  void (*obey)(Turn& turn, const std::string& value);
};
constexpr Command kCommands[] = {{api::kRestartAnnotation, obey_restart},
                                 {api::kRetryAnnotation, obey_retry},
                                 {api::kPromoteAnnotation, obey_promote},
                                 {api::kAbortAnnotation, obey_abort}};  // last: it wins (G4)

}  // namespace

void obey_commands(Turn& turn) {
  for (const auto& command : kCommands) {
    const auto set = turn.rollout.meta.annotations.find(command.key);
    if (set == turn.rollout.meta.annotations.end()) {
      turn.next.handled.erase(command.key);
      continue;
    }
    const auto handled = turn.next.handled.find(command.key);
    if (handled != turn.next.handled.end() && handled->second == set->second) continue;
    turn.next.handled[command.key] = set->second;
    command.obey(turn, set->second);
  }
}

void remove_obeyed(Turn& turn) {
  for (const auto& [key, value] : turn.rollout.status.handled) {
    const auto set = turn.rollout.meta.annotations.find(key);
    if (set != turn.rollout.meta.annotations.end() && set->second == value) {
      turn.actions.emplace_back(RemoveAnnotation{key, value});
    }
  }
}

}  // namespace tidegate::rollout
