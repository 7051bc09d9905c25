// SPDX-License-Identifier: Apache-2.0
#include "rollout/report.h"

#include <algorithm>

#include "api/decode.h"

namespace tidegate::rollout {
namespace {

using api::Stage;

bool has_problems(const Turn& turn) { return !turn.rollout.problems.empty() || !turn.problems.empty(); }

std::string plain(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

std::int64_t stable_available(const Turn& turn) {
  const SeenReplicaSet* set = turn.replica_set(turn.next.stable_revision);
  return set ? set->available : 0;
}

void count_replicas(Turn& turn) {
  auto& next = turn.next;
  next.selector = api::to_query(api::decode_labels(*turn.rollout.spec.pod_template, "metadata.labels"));
  next.replicas = next.ready_replicas = next.available_replicas = next.updated_replicas = 0;
  for (const auto& set : turn.seen.replica_sets) {
    next.replicas += set.replicas;
    next.ready_replicas += set.ready;
    next.available_replicas += set.available;
    if (set.revision == turn.rollout.revision) next.updated_replicas = set.ready;
  }
}

std::string pause_text(const Turn& turn) {
  std::string out;
  for (const auto& pause : turn.next.pause_conditions) out += (out.empty() ? "" : "; ") + pause.message;
  return out;
}

std::string under_way_text(const Turn& turn) {
  switch (turn.next.stage) {
    case Stage::kIdle:
      return "first revision: waits for " + turn.waiting;
    case Stage::kSteps: {
      const auto index = static_cast<std::size_t>(turn.next.current_step_index);
      const auto& steps = turn.canary().steps;
      const std::string name = index < steps.size() ? api::describe(steps[index]) : "all steps passed";
      return name + ": waits for " + turn.waiting;
    }
    case Stage::kPromoting:
      return "promoting: waits for " + turn.waiting;
    case Stage::kProving:
      return "promoted, and may still fall back: waits for " + turn.waiting;
    case Stage::kSwitching:
      return "promoting: waits for " + turn.waiting;
    case Stage::kSettling:
      return "promoting: traffic returns to the stable Service";
    case Stage::kAborted:
      return "aborted";
  }
  return {};
}

void set_phase(Turn& turn) {
  auto& next = turn.next;
  const auto set = [&](const char* phase, std::string message) {
    next.phase = phase;
    next.message = std::move(message);
  };
  if (next.stage == Stage::kAborted) {
    const bool back = turn.weight_served && turn.seen.stable_service.revision == next.stable_revision;
    const std::string invalid =
        turn.rollout.problems.empty() ? "" : "; spec is not valid: " + to_string(turn.rollout.problems);
    return set("Degraded", "aborted, all traffic " + std::string(back ? "is on" : "goes to") + " stable " +
                               next.stable_revision + ": " + next.abort.value_or(api::AbortStatus{}).reason +
                               invalid);
  }
  if (turn.rollout.meta.deleted) {
    return set(turn.overdue ? "Degraded" : "Progressing",
               turn.waiting.empty() ? "being deleted" : "being deleted: waits for " + turn.waiting);
  }
  if (!turn.rollout.problems.empty())
    return set("Degraded", "spec is not valid, nothing is changed: " + to_string(turn.rollout.problems));
  if (!turn.problems.empty()) return set("Degraded", "traffic stays as it is: " + to_string(turn.problems));
  if (turn.overdue) return set("Degraded", "past its deadline: waits for " + turn.waiting);
  if (next.returning_since) return set("Progressing", "waits for " + turn.waiting);
  if (!next.pause_conditions.empty()) return set("Paused", pause_text(turn));
  if (turn.first() || next.stage != Stage::kIdle) return set("Progressing", under_way_text(turn));
  if (turn.held() && turn.rollout.revision != next.stable_revision)
    return set("Paused", "held: a new revision waits");
  const std::int64_t ready = stable_available(turn);
  if (ready < turn.enough()) {
    return set("Progressing",
               std::to_string(ready) + " of " + count_of(turn.rollout.spec.replicas, "pod") + " available");
  }
  set("Healthy", "revision " + next.stable_revision + " serves all traffic");
}

void set_columns(Turn& turn) {
  auto& next = turn.next;
  const auto size = static_cast<std::int64_t>(turn.canary().steps.size());
  if (next.stage == Stage::kIdle && !turn.first()) next.current_step_index = size;
  next.step = std::to_string(std::min(next.current_step_index, size)) + "/" + std::to_string(size);
  next.weight = plain(next.weights.desired);
  next.observed = next.weights.observed ? plain(*next.weights.observed) : "";
  next.routes.clear();
  for (const auto& route : turn.canary().routes) next.routes += (next.routes.empty() ? "" : ",") + route.name;
  next.analysis.clear();
  for (const auto& run : next.analysis_runs) {
    std::int64_t passed = 0, failed = 0;
    for (const auto& metric : run.metrics) {
      passed += metric.successful;
      failed += metric.failed;
    }
    next.analysis += (next.analysis.empty() ? "" : "; ") + run.name + " " + run.phase + ", " +
                     std::to_string(passed) + " passed, " + std::to_string(failed) + " failed";
  }
}

std::string invalid_text(const Turn& turn) {
  if (!turn.rollout.problems.empty()) return to_string(turn.rollout.problems);
  return to_string(turn.problems);
}

void set_conditions(Turn& turn) {
  auto& next = turn.next;
  const bool invalid = has_problems(turn);
  const bool complete =
      next.stage == Stage::kIdle && !turn.first() && turn.rollout.revision == next.stable_revision;
  const bool enough = !turn.first() && stable_available(turn) >= turn.enough();
  const std::string aborted = next.stage == Stage::kAborted ? "RolloutAborted" : "";
  std::vector<api::Condition> wanted;
  const auto add = [&](const char* type, bool holds, std::string reason, std::string message) {
    wanted.push_back({type,
                      holds ? "True" : "False",
                      std::move(reason),
                      std::move(message),
                      turn.rollout.meta.generation,
                      {}});
  };
  add("Available", enough, enough ? "StableAvailable" : "StableUnavailable",
      std::to_string(stable_available(turn)) + " of " + count_of(turn.rollout.spec.replicas, "stable pod") +
          " available");
  add("Progressing", next.phase == "Progressing",
      !aborted.empty() ? aborted
      : turn.overdue   ? "ProgressDeadlineExceeded"
                       : next.phase,
      next.message);
  add("Paused", next.phase == "Paused",
      next.pause_conditions.empty() ? "NotPaused" : next.pause_conditions.front().reason, pause_text(turn));
  add("Completed", complete, complete ? "RolloutCompleted" : "RolloutNotCompleted", "");
  add("Healthy", next.phase == "Healthy", next.phase, next.message);
  add("InvalidSpec", invalid,
      !invalid                        ? "Valid"
      : turn.rollout.problems.empty() ? "ReferenceNotFound"
                                      : "InvalidSpec",
      invalid ? invalid_text(turn) : "");
  const auto* before = api::find_condition(turn.rollout.status.conditions, "InvalidSpec");
  if (invalid && (!before || before->status != "True" || before->message != wanted.back().message)) {
    turn.warn(wanted.back().reason, wanted.back().message);
  }
  next.conditions = api::merge_conditions(turn.rollout.status.conditions, std::move(wanted), turn.seen.now);
}

}  // namespace

void report(Turn& turn) {
  turn.next.observed_generation = turn.rollout.meta.generation;
  count_replicas(turn);
  set_phase(turn);
  set_columns(turn);
  set_conditions(turn);
}

}  // namespace tidegate::rollout
