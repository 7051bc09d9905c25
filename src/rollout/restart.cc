// SPDX-License-Identifier: Apache-2.0
#include "rollout/restart.h"

#include <algorithm>

#include "base/text.h"
#include "rollout/limits.h"
#include "rollout/workload.h"

namespace tidegate::rollout {
namespace {

std::vector<const SeenReplicaSet*> sets_in_use(const Turn& turn) {
  std::vector<const SeenReplicaSet*> out;
  for (const auto* revision : {&turn.next.stable_revision, &turn.next.canary_revision}) {
    const SeenReplicaSet* set = revision->empty() ? nullptr : turn.replica_set(*revision);
    if (set && set->replicas > 0 && std::find(out.begin(), out.end(), set) == out.end()) out.push_back(set);
  }
  return out;
}

std::int64_t needed(const Turn& turn, const std::string& revision) {
  return revision == turn.next.stable_revision ? wanted_stables(turn) : wanted_canaries(turn);
}

// Never all of them: a revision without a pod would lose its weight. Of a set on its way down to none, the
// last pod goes by scaling, which waits for the traffic.
std::int64_t kept(const Turn& turn, const std::string& revision) {
  const std::int64_t all = needed(turn, revision);
  return std::max<std::int64_t>(1, all - turn.canary().max_unavailable.of(all));
}

// How many of its pods may go now. Those that are on their way may still be counted as available, and what
// is scaled down in this turn goes besides.
std::int64_t spare(const Turn& turn, const SeenReplicaSet& set) {
  const std::int64_t staying =
      std::min(set.available, needed(turn, set.revision) + restart_surge(turn, set.revision));
  return staying - set.terminating - kept(turn, set.revision);
}

void end(Turn& turn) { turn.next.restart.reset(); }

}  // namespace

void begin_restart(Turn& turn, const std::string& by) {
  // Creation times have whole seconds: only from the next one on can new pods be told from old ones.
  const auto at = std::chrono::floor<std::chrono::seconds>(turn.seen.now) + std::chrono::seconds(1);
  turn.next.restart = api::RestartStatus{at, turn.seen.now, -1};
  turn.note("RestartStarted", by + " asked for new pods; those from before go one after another");
}

std::int64_t restart_surge(const Turn& turn, const std::string& revision) {
  const SeenReplicaSet* set = turn.replica_set(revision);
  const auto& restart = turn.next.restart;
  if (!restart || turn.seen.now < restart->at || !set || set->replicas == 0) return 0;
  const bool old_ones = !set->stale.empty() || set->terminating > 0;
  return old_ones && kept(turn, revision) == needed(turn, revision) ? 1 : 0;
}

void drive_restart(Turn& turn) {
  auto& restart = turn.next.restart;
  const auto& before = turn.rollout.status.restart;
  if (!restart || !before || before->at != restart->at)
    return;  // which pods are old is seen at the next look
  if (turn.seen.now < restart->at) return turn.wake_at(restart->at);
  if (!turn.seen.pods_known) return turn.wake_within(kTick);
  std::int64_t left = 0;
  const SeenReplicaSet* first = nullptr;
  for (const auto* set : sets_in_use(turn)) {
    if (!first && !set->stale.empty()) first = set;
    left += std::ssize(set->stale) + set->terminating;
  }
  if (left == 0) {
    turn.note("RestartCompleted", "all pods are newer than " + text::format_time(restart->at));
    return end(turn);
  }
  if (left != restart->left) restart->since = turn.seen.now;
  restart->left = left;
  const TimePoint deadline = restart->since + turn.rollout.spec.progress_deadline;
  if (turn.seen.now >= deadline) {
    turn.warn("RestartFailed", "given up with " + count_of(left, "old pod") + " left: no progress for " +
                                   text::format_duration(turn.rollout.spec.progress_deadline));
    return end(turn);
  }
  turn.wake_at(deadline);
  if (!first) return;
  const std::int64_t may = std::min(spare(turn, *first), std::ssize(first->stale));
  for (std::int64_t i = 0; i < may; ++i)
    turn.actions.emplace_back(DeletePod{first->stale[static_cast<std::size_t>(i)]});
}

}  // namespace tidegate::rollout
