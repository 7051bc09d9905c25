// SPDX-License-Identifier: Apache-2.0
// One run of an analysis: from how far it has come, and what is known now, to how far it is next. Knows no
// Rollout: what a Rollout asks for and a stand-alone AnalysisRun go through the same function. The gateway's
// counts are judged here; every other provider is measured outside: what is due is listed in `due`, and what
// it came to is found in `samples` at a later call. Lost measurements are due again. Thread: none; pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/counts.h"
#include "api/analysis_run.h"
#include "api/metric.h"
#include "metrics/judge.h"

namespace tidegate::analysis {

// A measurement that is due.
struct Measure {
  std::string id;  // the same until its result has been counted, and never again after that
  std::string run, metric;
  api::Provider provider;
};

// What a measurement came to: values to be judged by the metric's conditions, or a verdict without any.
struct Sample {
  std::vector<double> values;
  std::optional<metrics::Outcome> verdict;  // kError: it could not be had; a job: how it ended
  std::string text;                         // to a verdict: why; to values: warnings
};
using Samples = std::map<std::string, Sample>;  // by Measure::id

struct Inputs {
  TimePoint now{};
  const Traffic& traffic;
  const Samples& samples;
  std::optional<TimePoint> served_at;  // since when the canary's weight is what it is
  bool open_ended = false;             // a metric without a count runs until somebody ends it
};

struct RunResult {
  metrics::Phase phase = metrics::Phase::kRunning;
  std::string evidence;  // of the metric that decided, or that is waited for
  api::OnFailure on_failure = api::OnFailure::kAbort;
  std::optional<TimePoint> next_at;        // when to look again; absent: once a measurement has come in
  std::optional<TimePoint> waiting_since;  // for data or a measurement: deadlines are counted from here
  std::vector<Measure> due;
};

api::AnalysisRunStatus start_run(std::string name, std::int64_t step, const std::vector<api::Metric>& metrics,
                                 TimePoint now);

// Metrics that came to the spec since the start join the run. `run.phase` follows. A run that has failed, in
// whatever way, stays as it is.
RunResult advance_run(const std::vector<api::Metric>& metrics, api::AnalysisRunStatus& run,
                      const Inputs& inputs);

metrics::Phase phase_of(const std::string& text);  // kRunning for what is none of the names

}  // namespace tidegate::analysis
