// SPDX-License-Identifier: Apache-2.0
#include "rollout/analysis.h"
#include "rollout/steps/step.h"

namespace tidegate::rollout::steps {

StepResult run(const api::AnalysisStep&, Turn& turn) {
  using State = StepResult::State;
  const analysis::RunResult result = run_analysis(turn, turn.next.current_step_index);
  switch (result.phase) {
    case metrics::Phase::kSuccessful:
      return {State::kDone, result.evidence};
    case metrics::Phase::kRunning:
      return {State::kWaiting, "the analysis: " + result.evidence, result.waiting_since, result.next_at};
    case metrics::Phase::kFailed:
    case metrics::Phase::kError:
      if (result.on_failure == api::OnFailure::kAbort) return {State::kFailed, result.evidence};
      turn.pause("MetricFailed", result.evidence);
      return {State::kPerson, "a person: " + result.evidence};
    case metrics::Phase::kInconclusive:
      turn.pause("Inconclusive", result.evidence);
      return {State::kPerson, "a person: " + result.evidence};
  }
  return {};
}

}  // namespace tidegate::rollout::steps
