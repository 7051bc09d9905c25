// SPDX-License-Identifier: Apache-2.0
#include "rollout/experiment.h"

#include "base/text.h"
#include "rollout/analysis.h"
#include "rollout/steps/step.h"

namespace tidegate::rollout::steps {
namespace {

using State = StepResult::State;

// "metric success: 5 of 5 measurements passed"
std::string figures_of(const Turn& turn) {
  std::string out;
  for (const auto& run : turn.next.analysis_runs) {
    if (run.step != turn.next.current_step_index) continue;
    for (const auto& metric : run.metrics) {
      out += (out.empty() ? "metric " : ", metric ") + metric.name + ": " +
             std::to_string(metric.successful) + " of " + count_of(metric.count, "measurement") + " passed";
    }
  }
  return out;
}

// Until the duration has passed, metrics without a count go on; then each of them has to have passed.
StepResult judge(const api::Experiment& step, Turn& turn, TimePoint end) {
  const std::int64_t index = turn.next.current_step_index;
  const auto traffic = experiment_traffic(turn);
  const auto result = run_analysis(turn, index, traffic, step.duration.has_value());
  switch (result.phase) {
    case metrics::Phase::kFailed:
    case metrics::Phase::kError:
      if (result.on_failure == api::OnFailure::kAbort) return {State::kFailed, result.evidence};
      turn.pause("MetricFailed", result.evidence);
      return {State::kPerson, "a person: " + result.evidence};
    case metrics::Phase::kInconclusive:
      turn.pause("Inconclusive", result.evidence);
      return {State::kPerson, "a person: " + result.evidence};
    case metrics::Phase::kRunning:
    case metrics::Phase::kSuccessful:
      break;
  }
  const std::string missing = unproven(turn, index);
  const bool over = step.duration ? missing.empty() : result.phase == metrics::Phase::kSuccessful;
  if (over && turn.seen.now >= end) return {State::kDone, figures_of(turn)};
  return {State::kWaiting, "the analysis: " + (missing.empty() ? result.evidence : missing),
          std::max(end, result.waiting_since.value_or(end)), result.next_at};
}

}  // namespace

StepResult run(const api::Experiment& step, Turn& turn) {
  const TimePoint end = *turn.next.step_started_at + step.duration.value_or(Duration(0));
  StepResult result{State::kDone, "all versions served"};
  if (step.analysis) result = judge(step, turn, end);
  if (result.state == State::kFailed || result.state == State::kPerson) return result;
  if (turn.seen.now < end) {
    return {State::kWaiting, "the experiment of " + text::format_duration(*step.duration) + " to pass", end,
            std::min(end, result.look_again.value_or(end))};
  }
  if (const std::string missing = experiment_missing(turn); !missing.empty())
    return {State::kWaiting, missing, end, result.look_again};
  if (result.state != State::kDone) return result;
  // What still ran until the end of the step has passed with it.
  for (auto& run : turn.next.analysis_runs) {
    if (run.step == turn.next.current_step_index && run.phase == "Running") run.phase = "Successful";
  }
  return result;
}

}  // namespace tidegate::rollout::steps
