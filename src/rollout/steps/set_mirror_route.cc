// SPDX-License-Identifier: Apache-2.0
#include "rollout/mirrors.h"
#include "rollout/steps/step.h"

namespace tidegate::rollout::steps {

// That the routes copy as they should, and that the data plane serves them, is what every step waits for.
StepResult run(const api::SetMirrorRoute& step, Turn& turn) {
  using State = StepResult::State;
  if (!step.percent) return {State::kDone, "removed"};
  if (turn.ready_canaries() > 0) return {State::kDone, "served"};
  return {State::kWaiting, "a canary pod to be ready behind Service " + turn.canary().canary_service};
}

}  // namespace tidegate::rollout::steps
