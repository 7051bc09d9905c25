// SPDX-License-Identifier: Apache-2.0
#include "rollout/steps/step.h"
#include "rollout/workload.h"

namespace tidegate::rollout::steps {

StepResult run(const api::SetCanaryScale&, Turn& turn) {
  const std::int64_t wanted = wanted_canaries(turn);
  const SeenReplicaSet* set = turn.replica_set(turn.next.canary_revision);
  const std::int64_t available = set ? set->available : 0;
  if (!set || set->replicas != wanted || available < wanted) {
    return {StepResult::State::kWaiting,
            std::to_string(available) + " of " + count_of(wanted, "canary pod") + " available"};
  }
  return {StepResult::State::kDone, count_of(available, "canary pod") + " available"};
}

}  // namespace tidegate::rollout::steps
