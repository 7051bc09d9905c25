// SPDX-License-Identifier: Apache-2.0
// `tidegate simulate`: plays a new revision of a Rollout through its steps, on a clock of its own, with users
// whose requests the canary fails or delays as told. The state machine is the controller's own
// (rollout::decide). Pure but for run_simulate(), which reads files and prints. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "app/manifests.h"
#include "app/simulated_cluster.h"

namespace tidegate::app {

struct Simulated {
  std::string text;       // the timeline, and what users saw of it
  bool promoted = false;  // else it was aborted, or waits for a person who has to decide
};

// One Rollout of `manifests`, with the AnalysisTemplates beside it. Errors (kInvalid): there is none or
// several, its spec is not valid, or it has a form that is not modelled (spec.services).
Result<Simulated> simulate(const std::vector<Manifest>& manifests, double requests_a_second,
                           const Behaviour& canary);

// Exit codes: 0 promoted, 1 not, 2 what is there can't be read or played.
int run_simulate(const std::vector<std::string>& paths, double requests_a_second, const Behaviour& canary);

}  // namespace tidegate::app
