// SPDX-License-Identifier: Apache-2.0
#include "analysis/run.h"

#include <algorithm>

#include "analysis/measuring.h"

namespace tidegate::analysis {
namespace {

using metrics::Phase;

api::MetricStatus& status_of(api::AnalysisRunStatus& run, const api::Metric& metric) {
  for (auto& status : run.metrics) {
    if (status.name == metric.name) return status;
  }
  auto& added = run.metrics.emplace_back();
  added.name = metric.name;
  added.phase = metrics::to_string(Phase::kRunning);
  return added;
}

// What decides a run, worst first.
int weight_of(Phase phase) {
  switch (phase) {
    case Phase::kFailed:
      return 4;
    case Phase::kError:
      return 3;
    case Phase::kInconclusive:
      return 2;
    case Phase::kRunning:
      return 1;
    case Phase::kSuccessful:
      return 0;
  }
  return 0;
}

bool over(Phase phase) { return phase != Phase::kRunning && phase != Phase::kSuccessful; }

}  // namespace

Phase phase_of(const std::string& text) {
  for (const auto phase : {Phase::kSuccessful, Phase::kFailed, Phase::kInconclusive, Phase::kError}) {
    if (text == metrics::to_string(phase)) return phase;
  }
  return Phase::kRunning;
}

api::AnalysisRunStatus start_run(std::string name, std::int64_t step, const std::vector<api::Metric>& metrics,
                                 TimePoint now) {
  api::AnalysisRunStatus run;
  run.name = std::move(name);
  run.phase = metrics::to_string(Phase::kRunning);
  run.step = step;
  run.started_at = now;
  for (const auto& metric : metrics) status_of(run, metric);
  return run;
}

RunResult advance_run(const std::vector<api::Metric>& metrics, api::AnalysisRunStatus& run,
                      const Inputs& inputs) {
  const bool ended = over(phase_of(run.phase));
  const auto comparisons = static_cast<std::size_t>(std::count_if(
      metrics.begin(), metrics.end(), [](const auto& metric) { return metric.compare.has_value(); }));
  const bool only_dry_runs =
      std::all_of(metrics.begin(), metrics.end(), [](const auto& metric) { return metric.dry_run; });
  RunResult result;
  result.phase = metrics.empty() ? Phase::kInconclusive : Phase::kSuccessful;  // nothing asked proves nothing
  // A dry run decides nothing. Only a run that is nothing else waits for it.
  for (const auto& metric : metrics) {
    auto& status = status_of(run, metric);
    status.dry_run = metric.dry_run;
    if (!ended && phase_of(status.phase) == Phase::kRunning) {
      RunResult step;
      Measuring(metric, run, status, inputs, comparisons).step(step);
      if (phase_of(status.phase) == Phase::kRunning) {
        std::move(step.due.begin(), step.due.end(), std::back_inserter(result.due));
        if (step.next_at) result.next_at = std::min(*step.next_at, result.next_at.value_or(*step.next_at));
        if (step.waiting_since && !metric.dry_run)
          result.waiting_since = std::max(*step.waiting_since, result.waiting_since.value_or(TimePoint{}));
      }
    }
    if (metric.dry_run && !only_dry_runs) continue;
    const Phase phase =
        metric.dry_run && over(phase_of(status.phase)) ? Phase::kSuccessful : phase_of(status.phase);
    if (result.evidence.empty() || weight_of(phase) > weight_of(result.phase)) {
      result.phase = phase;
      result.on_failure = metric.on_failure;
      result.evidence =
          "metric " + metric.name + ": " + (status.evidence.empty() ? "not measured yet" : status.evidence);
    }
  }
  if (over(result.phase)) result.due.clear();
  run.phase = metrics::to_string(result.phase);
  return result;
}

}  // namespace tidegate::analysis
