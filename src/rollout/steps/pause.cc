// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "rollout/steps/step.h"

namespace tidegate::rollout::steps {

StepResult run(const api::Pause& step, Turn& turn) {
  using State = StepResult::State;
  if (step.for_person()) {
    turn.pause("PauseStep", "step " + std::to_string(turn.next.current_step_index) +
                                " waits for a person: annotate tidegate.dev/promote=step to go on");
    return {State::kPerson, "a person to promote it"};
  }
  const TimePoint end = *turn.next.step_started_at + step.duration.value_or(Duration(0));
  const auto traffic = turn.canary_since(turn.next.step_mark);
  if (turn.seen.now < end) {
    return {State::kWaiting, "the pause of " + text::format_duration(*step.duration) + " to pass", end, end};
  }
  if (traffic.requests < static_cast<std::uint64_t>(step.min_requests)) {
    return {State::kWaiting,
            std::to_string(traffic.requests) + " of " + std::to_string(step.min_requests) +
                " requests on the canary",
            end};
  }
  return {State::kDone,
          text::format_duration(turn.seen.now - *turn.next.step_started_at) + ", " + figures(traffic)};
}

}  // namespace tidegate::rollout::steps
