// SPDX-License-Identifier: Apache-2.0
#include "rollout/header_routes.h"
#include "rollout/steps/step.h"

namespace tidegate::rollout::steps {

// That the routes in effect are served, and those that are not are gone, is what every step waits for.
StepResult run(const api::SetHeaderRoute& step, Turn& turn) {
  using State = StepResult::State;
  if (step.match.empty()) return {State::kDone, "removed"};
  for (const auto* in_effect : header_routes_in_effect(turn)) {
    if (in_effect->name == step.name) return {State::kDone, "served"};
  }
  return {State::kWaiting, "a canary pod to be ready behind Service " + turn.canary().canary_service};
}

}  // namespace tidegate::rollout::steps
