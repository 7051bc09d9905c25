// SPDX-License-Identifier: Apache-2.0
// Status of a Rollout: what people read, and all that the controller needs to go on after a crash (guarantee
// G1). Thread: none; plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/analysis_run.h"
#include "api/condition.h"
#include "base/clock.h"
#include "base/json.h"

namespace tidegate::api {

// Where a rollout stands. The weight of the canary is a function of this, the spec and the step.
enum class Stage {
  kIdle,       // stable alone; without a stable revision: the first one is coming up
  kSteps,      // the canary walks through the steps
  kPromoting,  // all steps passed: canary to full size, then to all traffic
  kProving,    // blue-green: the active Service has the new revision, which may still fall back
  kSwitching,  // the canary's revision is stable; the stable Service follows
  kSettling,   // traffic returns to the stable Service, which has the new revision
  kAborted,    // all traffic on stable until a retry or another template
};
const char* to_string(Stage stage);

struct ServiceWeight {
  std::string service;
  double percent = 0;
  friend bool operator==(const ServiceWeight&, const ServiceWeight&) = default;
};

struct WeightStatus {
  double desired = 0;
  bool written = false;  // `desired` has been put on the route: a difference from now on is someone else's
  std::optional<double> observed;          // what the data plane split since verified_at
  std::optional<TimePoint> verified_at;    // since when `desired` is served; absent: not yet
  std::optional<TrafficMark> since;        // counts at verified_at
  std::int64_t mirror = 0;                 // copies to the canary, in percent of the requests
  std::vector<ServiceWeight> experiments;  // what an experiment's Services get on the routes, by name
  friend bool operator==(const WeightStatus&, const WeightStatus&) = default;
};

// A route of its own that the Rollout made, or whose going the data plane has not confirmed yet.
struct ManagedRouteStatus {
  std::string kind, name;
  std::string
      hash;  // of the spec that was put last: a difference from now on is someone else's; empty: going
  bool served = false;
  friend bool operator==(const ManagedRouteStatus&, const ManagedRouteStatus&) = default;
};

struct AbortStatus {
  TimePoint at{};
  std::string by, reason;
  friend bool operator==(const AbortStatus&, const AbortStatus&) = default;
};

struct PauseCondition {
  std::string reason;  // PauseStep, Inconclusive, MetricFailed, RouteConflict, Held
  TimePoint since{};
  std::string message;
  friend bool operator==(const PauseCondition&, const PauseCondition&) = default;
};

// A step that is over (guarantee G11).
struct StepRecord {
  std::int64_t index = 0;
  std::string step, outcome;  // "setWeight 5"; Passed, Promoted (by a person), Aborted
  TimePoint finished_at{};
  std::string figures;  // that decided it
  friend bool operator==(const StepRecord&, const StepRecord&) = default;
};

struct HistoryEntry {
  std::string revision, outcome;  // Promoted, Aborted, Superseded, Cancelled
  TimePoint started_at{}, finished_at{};
  std::uint64_t canary_requests = 0;
  std::string reason;
  std::vector<StepRecord> steps;  // the last of them, oldest first
  friend bool operator==(const HistoryEntry&, const HistoryEntry&) = default;
};

// Pods are made anew, by annotation.
struct RestartStatus {
  TimePoint at{};          // older pods go
  TimePoint since{};       // when one went last
  std::int64_t left = -1;  // of them; -1: not counted yet
  friend bool operator==(const RestartStatus&, const RestartStatus&) = default;
};

struct RolloutStatus {
  std::string phase, message;  // Healthy, Progressing, Paused, Degraded
  std::int64_t observed_generation = 0;
  Stage stage = Stage::kIdle;
  std::string stable_revision, canary_revision;  // pod-template-hashes; canary: none under way where empty
  std::int64_t current_step_index = 0;
  std::string current_step_hash;
  std::optional<TimePoint> started_at;       // of the rollout
  std::optional<TimePoint> step_started_at;  // of the step's clock; absent: its weight is not served yet
  std::optional<TimePoint> progress_at;      // what the deadline is counted from
  std::optional<TimePoint>
      returning_since;  // stable grows, before the traffic of a canary that is no more wanted returns
  std::optional<TrafficMark> step_mark, rollout_mark;
  WeightStatus weights;
  std::optional<AbortStatus> abort;
  std::optional<RestartStatus> restart;
  bool promote_full = false;  // a person skipped what was left
  bool rollback = false;      // back to a recent revision: there was nothing to step through
  std::string stable_slot;    // of two Services, the one with the stable revision
  std::vector<ManagedRouteStatus> managed_routes;
  std::vector<PauseCondition> pause_conditions;
  std::vector<AnalysisRunStatus> analysis_runs;
  std::vector<TimePoint> repairs;                  // of the route, within the last minute
  std::map<std::string, std::string> handled;      // one-shot annotations whose effect stands here
  std::map<std::string, TimePoint> scale_down_at;  // by revision: when its pods may go
  std::int64_t replicas = 0, updated_replicas = 0, ready_replicas = 0, available_replicas = 0;
  std::string selector;
  std::vector<StepRecord> finished_steps;  // of the rollout under way
  std::vector<HistoryEntry> history;       // newest first, ten at most
  std::vector<Condition> conditions;
  std::string step, weight, observed, analysis, routes;  // what kubectl get prints
  friend bool operator==(const RolloutStatus&, const RolloutStatus&) = default;
};
RolloutStatus decode_rollout_status(const Json& status);
Json encode_rollout_status(const RolloutStatus& status);

}  // namespace tidegate::api
