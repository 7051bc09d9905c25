// SPDX-License-Identifier: Apache-2.0
// How far the measuring of an analysis has come: all that is needed to go on after a crash. Kept in the
// status of the Rollout. What happens to it: analysis/run.h. Thread: none; plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/analysis.h"
#include "base/clock.h"
#include "base/json.h"

namespace tidegate::api {

struct Counts {
  std::uint64_t requests = 0, failures = 0;
  std::vector<std::uint64_t> durations;  // per bucket; kept where a latency metric needs them
  friend bool operator==(const Counts&, const Counts&) = default;
};
// The data plane's cumulative counts at a moment from which something is counted.
struct TrafficMark {
  TimePoint at{};
  Counts stable, canary;
  friend bool operator==(const TrafficMark&, const TrafficMark&) = default;
};

struct MetricStatus {
  std::string name, phase;  // Running, Successful, Failed, Inconclusive, Error
  std::string evidence;     // the figures of the last verdict
  bool dry_run = false;
  std::int64_t count = 0, successful = 0, failed = 0, inconclusive = 0, error = 0;
  std::int64_t consecutive_error = 0, consecutive_success = 0;
  double log_evidence = 0;           // of `compare`: what stretches of another weight have left
  std::int64_t stretches = 0;        // of `compare`: how many
  std::optional<TrafficMark> since;  // the open window; of `compare`: since when the weight is what it is
  std::optional<TimePoint> measured_at;
  std::optional<TimePoint> waiting_since;  // for data
  std::string outcome, value;              // of the last measurement
  friend bool operator==(const MetricStatus&, const MetricStatus&) = default;
};

// Which analysis of a rollout a run belongs to: the index of a step, or one of these.
inline constexpr std::int64_t kBackgroundRun = -1, kPrePromotionRun = -2, kPostPromotionRun = -3,
                              kStandAloneRun = -4;  // of no rollout

struct AnalysisRunStatus {
  std::string name, phase;
  std::int64_t step = kBackgroundRun;
  TimePoint started_at{};
  std::vector<MetricStatus> metrics;
  friend bool operator==(const AnalysisRunStatus&, const AnalysisRunStatus&) = default;
};

AnalysisRunStatus decode_run(const Json& from);
Json encode_run(const AnalysisRunStatus& from);

inline constexpr Resource kAnalysisRuns{"tidegate.dev", "v1alpha1", "analysisruns", "AnalysisRun"};

// On a Rollout's runs.
inline constexpr const char* kRolloutLabel = "tidegate.dev/rollout";
inline constexpr const char* kRunTypeLabel = "tidegate.dev/analysis";  // background, step-2, ...

struct AnalysisRun {
  Meta meta;
  Analysis analysis;
  bool terminate = false;
  std::optional<Duration> kept_after_success, kept_after_failure;  // absent: for ever
  AnalysisRunStatus status;
  std::optional<TimePoint> completed_at;
  std::vector<FieldProblem> problems;
  std::shared_ptr<const Json> json;

  bool of_rollout() const;
};
AnalysisRun decode_analysis_run(const Json& json);

std::optional<TrafficMark> decode_mark(const Json& from, std::string_view path);
Json encode_mark(const TrafficMark& mark);

}  // namespace tidegate::api
