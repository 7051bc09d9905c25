// SPDX-License-Identifier: Apache-2.0
#include "rollout/analysis.h"

#include <algorithm>

#include "rollout/experiment.h"
#include "rollout/lifecycle.h"

namespace tidegate::rollout {
namespace {

std::string run_name(std::int64_t step) {
  switch (step) {
    case api::kBackgroundRun:
      return "background";
    case api::kPrePromotionRun:
      return "pre-promotion";
    case api::kPostPromotionRun:
      return "post-promotion";
    default:
      return "step-" + std::to_string(step);
  }
}

analysis::Context context_of(const Turn& turn, std::int64_t step) {
  const auto& rollout = turn.rollout;
  const std::string& stable = turn.next.stable_revision;
  analysis::Context out{rollout.json.get(),
                        stable,
                        rollout.revision,
                        {{"namespace", rollout.meta.ns},
                         {"rollout", rollout.meta.name},
                         {"stable-service", turn.canary().stable_service},
                         {"canary-service", turn.canary().canary_service},
                         {"stable-hash", stable},
                         {"canary-hash", rollout.revision}}};
  for (const auto& part : parts_of(turn, step)) {
    out.known[part.of->name + "-service"] = part.name;
    out.known[part.of->name + "-hash"] = part.revision;
  }
  return out;
}

void resolve(Turn& turn, const api::Analysis& analysis, std::int64_t step) {
  if (!analysis.templated) {
    turn.metrics[step] = analysis.metrics;
    return;
  }
  auto resolved = analysis::resolve(analysis, turn.seen.templates, context_of(turn, step));
  turn.metrics[step] = std::move(resolved.metrics);
  turn.problems.insert(turn.problems.end(), resolved.problems.begin(), resolved.problems.end());
}

api::AnalysisRunStatus& find_or_start(Turn& turn, const std::vector<api::Metric>& metrics,
                                      std::int64_t step) {
  auto& runs = turn.next.analysis_runs;
  for (auto& run : runs) {
    if (run.step == step) return run;
  }
  runs.push_back(analysis::start_run(run_name(step), step, metrics, turn.seen.now));
  turn.note("AnalysisStarted", runs.back().name + " analysis of " +
                                   count_of(static_cast<std::int64_t>(metrics.size()), "metric"));
  return runs.back();
}

}  // namespace

void resolve_analyses(Turn& turn) {
  const auto& canary = turn.canary();
  if (canary.analysis) resolve(turn, *canary.analysis, api::kBackgroundRun);
  if (canary.post_promotion) resolve(turn, *canary.post_promotion, api::kPostPromotionRun);
  for (std::size_t i = 0; i < canary.steps.size(); ++i) {
    if (const auto* analysis = api::analysis_of(canary.steps[i]))
      resolve(turn, *analysis, static_cast<std::int64_t>(i));
  }
}

analysis::RunResult run_analysis(Turn& turn, std::int64_t step) {
  return run_analysis(turn, step, turn.seen.traffic, false);
}

analysis::RunResult run_analysis(Turn& turn, std::int64_t step, const analysis::Traffic& traffic,
                                 bool open_ended) {
  const auto& metrics = turn.metrics[step];
  auto& run = find_or_start(turn, metrics, step);
  const std::string before = run.phase;
  const analysis::Inputs inputs{turn.seen.now, traffic, turn.seen.samples, turn.next.weights.verified_at,
                                open_ended};
  analysis::RunResult result = analysis::advance_run(metrics, run, inputs);
  if (before != run.phase) {
    const bool passed = result.phase == metrics::Phase::kSuccessful;
    turn.notes.push_back({!passed, "Analysis" + run.phase, run.name + " analysis: " + result.evidence});
  }
  if (result.next_at) turn.wake_at(*result.next_at);
  turn.measures.insert(turn.measures.end(), result.due.begin(), result.due.end());
  return result;
}

void watch_canary(Turn& turn) {
  const auto& analysis = turn.canary().analysis;
  if (!analysis || turn.next.promote_full) return;
  const auto& runs = turn.next.analysis_runs;
  const bool started =
      std::any_of(runs.begin(), runs.end(), [](const auto& run) { return run.step == api::kBackgroundRun; });
  const bool served = turn.weight_served && turn.next.weights.desired > 0;
  if (!started && (!served || turn.next.current_step_index < analysis->starting_step)) return;
  const analysis::RunResult result = run_analysis(turn, api::kBackgroundRun);
  switch (result.phase) {
    case metrics::Phase::kRunning:
    case metrics::Phase::kSuccessful:
      return;
    case metrics::Phase::kInconclusive:
      turn.pause("Inconclusive", result.evidence);
      return;
    case metrics::Phase::kFailed:
    case metrics::Phase::kError:
      if (result.on_failure == api::OnFailure::kAbort) return abort(turn, "analysis", result.evidence);
      turn.pause("MetricFailed", result.evidence);
      return;
  }
}

std::string unproven(const Turn& turn) {
  if (!turn.canary().analysis || turn.next.promote_full) return {};
  return unproven(turn, api::kBackgroundRun);
}

std::string unproven(const Turn& turn, std::int64_t step) {
  const auto metrics = turn.metrics.find(step);
  if (metrics == turn.metrics.end()) return "the metrics of its analysis";
  for (const auto& metric : metrics->second) {
    if (metric.dry_run) continue;
    const api::MetricStatus* found = nullptr;
    for (const auto& run : turn.next.analysis_runs) {
      if (run.step != step) continue;
      for (const auto& status : run.metrics) {
        if (status.name == metric.name) found = &status;
      }
    }
    if (!found || found->successful == 0) {
      return "metric " + metric.name + " to be measured" +
             (found && !found->evidence.empty() ? ": " + found->evidence : std::string());
    }
    // A run with a count has to be through with it.
    if (metric.count && found->phase == "Running") {
      return "metric " + metric.name + ": " + std::to_string(found->count) + " of " +
             count_of(*metric.count, "measurement");
    }
  }
  return {};
}

}  // namespace tidegate::rollout
