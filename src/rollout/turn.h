// SPDX-License-Identifier: Apache-2.0
// One decision in the making: the input, the status that is to be, and what has been decided so far. The
// files beside this one each do a part of it, in the order that decide.cc spells out. Thread: none.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "rollout/decision.h"

namespace tidegate::rollout {

class Turn {
 public:
  Turn(const api::Rollout& rollout, const Observation& seen)
      : rollout(rollout), seen(seen), next(rollout.status) {}

  const api::Rollout& rollout;
  const Observation& seen;
  api::RolloutStatus next;
  std::vector<Action> actions;
  std::vector<Note> notes;
  std::vector<analysis::Measure> measures;
  std::map<std::int64_t, std::vector<api::Metric>>
      metrics;  // of the runs that this turn may start, by their step
  std::optional<Duration> wake;
  std::vector<api::FieldProblem> problems;  // with what the spec refers to
  std::string waiting;                      // what the rollout waits for, in words
  bool overdue = false;        // it has waited past its deadline, and there is nothing to return to
  bool repaired = false;       // this look found changes of others, and sets them back
  bool weight_served = false;  // weight and header routes are as wanted, and the data plane serves them

  const api::CanaryStrategy& canary() const { return rollout.spec.canary; }
  const SeenReplicaSet* replica_set(std::string_view revision) const;
  bool first() const { return next.stable_revision.empty(); }  // nothing to be compared with yet
  bool held() const;                                           // by spec.paused or the annotation
  std::int64_t enough() const;  // pods of a revision that can carry all traffic
  bool has_finalizer() const;   // ours
  std::int64_t ready_canaries()
      const;  // endpoints of the canary Service that have been ready for minReadySeconds

  void note(std::string reason, std::string message);
  void warn(std::string reason, std::string message);
  void wake_within(Duration delay);
  void wake_at(TimePoint time);

  void progressed() { next.progress_at = seen.now; }
  void enter(api::Stage stage);
  void pause(std::string_view reason,
             std::string message);  // keeps the time of a pause that is there already
  void resume(std::string_view reason);
  bool paused(std::string_view reason) const;

  api::TrafficMark mark() const;
  metrics::BackendTraffic canary_since(const std::optional<api::TrafficMark>& mark) const;
  metrics::BackendTraffic stable_since(const std::optional<api::TrafficMark>& mark) const;
};

using analysis::count_of;
using analysis::figures;
std::string percent_text(double percent);  // "0.5 %"

}  // namespace tidegate::rollout
