// SPDX-License-Identifier: Apache-2.0
#include "rollout/lifecycle.h"

#include <set>

#include "base/text.h"
#include "rollout/limits.h"

namespace tidegate::rollout {
namespace {

std::string lasted(const Turn& turn) {
  const TimePoint from = turn.next.started_at.value_or(turn.seen.now);
  return text::format_duration(std::chrono::floor<std::chrono::seconds>(turn.seen.now - from));
}

void record(Turn& turn, const char* outcome, std::string reason) {
  auto& history = turn.next.history;
  history.insert(history.begin(),
                 {turn.next.canary_revision, outcome, turn.next.started_at.value_or(turn.seen.now),
                  turn.seen.now, turn.canary_since(turn.next.rollout_mark).requests, std::move(reason),
                  std::exchange(turn.next.finished_steps, {})});
  if (history.size() > kMaxHistory) history.resize(kMaxHistory);
}

// What belongs to one rollout and not to the next.
void forget_rollout(api::RolloutStatus& next) {
  next.abort.reset();
  next.promote_full = next.rollback = false;
  next.pause_conditions.clear();
  next.analysis_runs.clear();
  next.repairs.clear();
  next.step_mark.reset();
  next.step_started_at.reset();
  next.finished_steps.clear();
  next.returning_since.reset();
}

// What still ran when the rollout ended is over without a verdict; its figures stay to be read.
void end_analyses(api::RolloutStatus& next) {
  for (auto& run : next.analysis_runs) {
    if (run.phase == "Running") run.phase = "Ended";
    for (auto& metric : run.metrics) metric.since.reset();
  }
}

// Whether the revision is one of those that were stable before the one that is, not too long ago.
bool within_rollback_window(const Turn& turn) {
  std::set<std::string> seen = {turn.next.stable_revision};
  for (const auto& entry : turn.next.history) {
    if (entry.outcome != "Promoted" || !seen.insert(entry.revision).second) continue;
    if (static_cast<std::int64_t>(seen.size()) - 1 > turn.rollout.spec.rollback_window) return false;
    if (entry.revision == turn.rollout.revision) return true;
  }
  return false;
}

const char* why_promoted(const Turn& turn) {
  if (turn.first()) return "the first revision";
  if (turn.next.rollback) return "back to a recent revision, without steps";
  return turn.next.promote_full ? "promoted in full by hand" : "all steps passed";
}

void begin_first(Turn& turn) {
  forget_rollout(turn.next);
  turn.next.canary_revision = turn.rollout.revision;
  turn.next.started_at = turn.seen.now;
  turn.next.rollout_mark = turn.mark();
  turn.enter(api::Stage::kIdle);
  turn.note("RolloutStarted",
            "first revision " + turn.rollout.revision + ": no steps, there is nothing to compare it with");
}

void cancel(Turn& turn) {
  if (turn.next.stage != api::Stage::kAborted) {
    record(turn, "Cancelled", "the spec went back to the stable revision");
    turn.note("RolloutCancelled",
              "back to the stable revision " + turn.next.stable_revision + " after " + lasted(turn));
  }
  forget_rollout(turn.next);
  turn.next.canary_revision.clear();
  turn.enter(api::Stage::kIdle);
}

}  // namespace

void finish_step(Turn& turn, const char* outcome, std::string figures) {
  const auto index = static_cast<std::size_t>(turn.next.current_step_index);
  if (index >= turn.canary().steps.size()) return;
  auto& records = turn.next.finished_steps;
  records.push_back({turn.next.current_step_index, api::describe(turn.canary().steps[index]), outcome,
                     turn.seen.now, std::move(figures)});
  if (records.size() > kMaxStepRecords) records.erase(records.begin());
}

void enter_step(Turn& turn, std::int64_t index) {
  turn.next.current_step_index = index;
  turn.next.step_started_at.reset();
  turn.next.step_mark.reset();
  turn.resume("PauseStep");
  turn.progressed();
}

void begin(Turn& turn) {
  forget_rollout(turn.next);
  auto& next = turn.next;
  next.canary_revision = turn.rollout.revision;
  next.current_step_hash = turn.rollout.steps_hash;
  next.started_at = turn.seen.now;
  next.rollout_mark = turn.mark();
  turn.enter(api::Stage::kSteps);
  enter_step(turn, 0);
  if (within_rollback_window(turn)) {
    next.rollback = next.promote_full = true;
    turn.enter(api::Stage::kPromoting);
    turn.note("RolloutStarted", "back to revision " + next.canary_revision + " from " + next.stable_revision +
                                    ": it was stable not long ago, so there are no steps");
    return;
  }
  turn.note("RolloutStarted", "revision " + next.canary_revision + " against stable " + next.stable_revision +
                                  ", " +
                                  count_of(static_cast<std::int64_t>(turn.canary().steps.size()), "step"));
}

void abort(Turn& turn, std::string by, std::string reason) {
  if (turn.next.stage == api::Stage::kSteps) finish_step(turn, "Aborted", reason);
  record(turn, "Aborted", reason);
  turn.warn("RolloutAborted", "all traffic back to stable " + turn.next.stable_revision + " after " +
                                  lasted(turn) + " at step " + std::to_string(turn.next.current_step_index) +
                                  ", the canary served " +
                                  figures(turn.canary_since(turn.next.rollout_mark)) + ": " + reason);
  end_analyses(turn.next);
  turn.next.pause_conditions.clear();
  turn.next.promote_full = false;
  turn.next.abort = api::AbortStatus{turn.seen.now, std::move(by), std::move(reason)};
  turn.enter(api::Stage::kAborted);
}

void complete(Turn& turn) {
  const std::string revision = turn.next.canary_revision;
  record(turn, "Promoted", why_promoted(turn));
  turn.note("RolloutCompleted", "revision " + revision + " is stable after " + lasted(turn) + ", it served " +
                                    figures(turn.canary_since(turn.next.rollout_mark)) + " as canary");
  if (turn.canary().promotion == api::Promotion::kSwap)
    turn.next.stable_slot = turn.first() ? turn.canary().stable_service : turn.canary().canary_service;
  turn.next.stable_revision = revision;
  turn.next.canary_revision.clear();
  turn.next.current_step_index = static_cast<std::int64_t>(turn.canary().steps.size());
  turn.next.current_step_hash = turn.rollout.steps_hash;
  end_analyses(turn.next);
  turn.next.promote_full = turn.next.rollback = false;
  turn.next.pause_conditions.clear();
  turn.next.step_started_at.reset();
  turn.next.step_mark.reset();
  turn.enter(api::Stage::kIdle);
}

namespace {

// What stable gave up for the canary has to be back before the canary's traffic returns to it. Not for ever:
// past the deadline the newer revision counts for more.
bool stable_returns(Turn& turn) {
  auto& next = turn.next;
  const bool shifting = next.stage == api::Stage::kSteps || next.stage == api::Stage::kPromoting;
  const SeenReplicaSet* stable = turn.replica_set(next.stable_revision);
  if (!turn.canary().dynamic_stable_scale || !shifting || next.weights.desired <= 0 || !stable) return false;
  if (stable->available >= turn.enough()) return false;
  const TimePoint end = next.returning_since.value_or(turn.seen.now) + turn.rollout.spec.progress_deadline;
  if (turn.seen.now >= end) return false;
  if (!next.returning_since) {
    next.returning_since = turn.seen.now;
    turn.note("StableReturning", "stable grows to full size before revision " + turn.rollout.revision);
  }
  turn.wake_at(end);
  return true;
}

}  // namespace

void adopt_revision(Turn& turn) {
  auto& next = turn.next;
  const std::string& revision = turn.rollout.revision;
  if (turn.first()) {
    if (next.canary_revision != revision) begin_first(turn);
    return;
  }
  // Once its revision is stable, a rollout ends before another begins.
  if (next.stage == api::Stage::kSwitching || next.stage == api::Stage::kSettling) return;
  const bool edited = revision == next.canary_revision && next.stage == api::Stage::kSteps &&
                      next.current_step_hash != turn.rollout.steps_hash;
  const bool leaves = revision != next.canary_revision && !next.canary_revision.empty() && !turn.held();
  if ((edited || leaves) && stable_returns(turn)) return;
  next.returning_since.reset();
  if (revision == next.stable_revision) {
    if (!next.canary_revision.empty()) cancel(turn);
    return;
  }
  if (revision == next.canary_revision) {
    if (!edited) return;
    turn.note("StepsChanged", "the steps were edited: again from step 0");
    begin(turn);
    return;
  }
  if (turn.held()) return;
  if (!next.canary_revision.empty() && next.stage != api::Stage::kAborted) {
    record(turn, "Superseded", "revision " + revision + " came");
    turn.note("RolloutSuperseded",
              "revision " + next.canary_revision + " after " + lasted(turn) + " by " + revision);
  }
  begin(turn);
}

}  // namespace tidegate::rollout
