// SPDX-License-Identifier: Apache-2.0
// One metric of one run: measured when it is due, judged, counted. Thread: none; pure. Owns nothing: the
// status is the caller's.
#pragma once

#include "analysis/run.h"
#include "metrics/compare.h"

namespace tidegate::analysis {

class Measuring {
 public:
  // `endless`: without a count it goes on until somebody ends it. `comparisons`: of the same run, which share
  // what is left to chance.
  Measuring(const api::Metric& metric, const api::AnalysisRunStatus& run, api::MetricStatus& status,
            const Inputs& inputs, std::size_t comparisons);

  void step(RunResult& result);

 private:
  struct Window {
    metrics::BackendTraffic stable, canary;
    double seconds = 0;
  };
  struct Judged {
    metrics::Outcome outcome;
    std::string evidence, value;
  };

  void step_counts(RunResult& result);
  void step_sample(RunResult& result);
  void measure_counts();
  void begin_stretch();
  bool crossed() const;  // a comparison that has seen enough
  Window window() const;
  api::TrafficMark mark() const;
  metrics::CompareOptions options() const;
  metrics::Earlier earlier() const;
  Judged judge_counts(const Window& seen) const;
  Judged judge_compared(const Window& seen) const;
  Judged judge_sample(const Sample& sample) const;
  void take(Judged judged);  // what it was judged, unless there was no data to judge
  void finish(Judged judged);
  void look_at(RunResult& result, TimePoint time) const;

  const api::Metric& metric_;
  const api::AnalysisRunStatus& run_;
  api::MetricStatus& status_;
  const Inputs& in_;
  std::size_t comparisons_;
};

}  // namespace tidegate::analysis
