// SPDX-License-Identifier: Apache-2.0
// The kinds of steps: a function each, from the step and the turn to one uniform result. A step runs only
// while the weight that it stands on is served; its clock, status.stepStartedAt, starts then (G3). Thread:
// none; pure.
#pragma once

#include "rollout/turn.h"

namespace tidegate::rollout::steps {

struct StepResult {
  enum class State {
    kDone,
    kWaiting,  // on the deadline's clock
    kPerson,   // for somebody to decide: no deadline
    kFailed,   // the rollout is to be aborted
  };
  State state = State::kDone;
  std::string message;  // what is waited for, why it failed, or the figures that it ended with
  std::optional<TimePoint> deadline_from{};  // the deadline is not counted before
  std::optional<TimePoint> look_again{};
};

StepResult run(const api::SetWeight& step, Turn& turn);
StepResult run(const api::Pause& step, Turn& turn);
StepResult run(const api::SetCanaryScale& step, Turn& turn);
StepResult run(const api::AnalysisStep& step, Turn& turn);
StepResult run(const api::SetHeaderRoute& step, Turn& turn);
StepResult run(const api::SetMirrorRoute& step, Turn& turn);
StepResult run(const api::Experiment& step, Turn& turn);

}  // namespace tidegate::rollout::steps
