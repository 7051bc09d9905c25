// SPDX-License-Identifier: Apache-2.0
#include "rollout/steps/step.h"

namespace tidegate::rollout::steps {

// That the weight is served is what every step waits for.
StepResult run(const api::SetWeight& step, Turn&) {
  return {StepResult::State::kDone, percent_text(step.percent) + " served"};
}

}  // namespace tidegate::rollout::steps
