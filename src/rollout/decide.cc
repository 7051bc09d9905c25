// SPDX-License-Identifier: Apache-2.0
#include "rollout/decide.h"

#include "rollout/analysis.h"
#include "rollout/commands.h"
#include "rollout/lifecycle.h"
#include "rollout/limits.h"
#include "rollout/report.h"
#include "rollout/stages.h"
#include "rollout/weights.h"
#include "rollout/workload.h"

namespace tidegate::rollout {
namespace {

constexpr std::size_t kMovesBesidesSteps = 8;  // stages that can be passed in one turn, and one to spare
constexpr Duration kServedPoll =
    std::chrono::milliseconds(200);  // acknowledgements of proxies come without an event

void note_progress(Turn& turn) {
  const SeenReplicaSet* set = turn.replica_set(turn.rollout.revision);
  if (set && set->ready > turn.rollout.status.updated_replicas) turn.progressed();
}

// The routes follow every move at once, so that what is written is where the turn ends, not where it began.
void move(Turn& turn) {
  const std::size_t most = turn.canary().steps.size() + kMovesBesidesSteps;
  drive_routes(turn);
  if (turn.next.returning_since) {
    turn.waiting = "stable to have its pods back before revision " + turn.rollout.revision;
    return;
  }
  for (std::size_t i = 0; i < most && advance(turn); ++i) drive_routes(turn);
}

// Where nothing will be judged, templates that are missing do not matter.
bool will_judge(const Turn& turn) {
  switch (turn.next.stage) {
    case api::Stage::kIdle:
      return turn.rollout.revision != turn.next.stable_revision;
    case api::Stage::kSteps:
    case api::Stage::kPromoting:
    case api::Stage::kProving:
      return true;
    case api::Stage::kAborted:
      return turn.rollout.revision != turn.next.canary_revision;
    case api::Stage::kSwitching:  // what comes next in the same turn may be that analysis
      return turn.canary().post_promotion.has_value();
    case api::Stage::kSettling:
      return false;
  }
  return true;
}

void decide_valid(Turn& turn) {
  adopt_revision(turn);
  note_progress(turn);
  move(turn);
  drive_workload(turn);
  const auto stage = turn.next.stage;
  if (stage != api::Stage::kIdle && stage != api::Stage::kAborted) turn.wake_within(kTick);
  if (!turn.weight_served && turn.seen.traffic.known && turn.problems.empty()) turn.wake_within(kServedPoll);
}

}  // namespace

Decision decide(const api::Rollout& rollout, const Observation& seen) {
  Turn turn(rollout, seen);
  obey_commands(turn);
  const bool deleted = rollout.meta.deleted.has_value();
  if (!deleted && rollout.problems.empty() && will_judge(turn)) resolve_analyses(turn);
  if (deleted) {
    hand_back(turn);
  } else if (rollout.problems.empty() && turn.problems.empty()) {
    decide_valid(turn);
  } else if (turn.next.stage == api::Stage::kAborted) {
    drive_routes(turn);  // an abort works whatever else the spec says
  }
  remove_obeyed(turn);
  report(turn);
  return {std::move(turn.next),  std::move(turn.actions), turn.wake,
          std::move(turn.notes), std::move(turn.metrics), std::move(turn.measures)};
}

}  // namespace tidegate::rollout
