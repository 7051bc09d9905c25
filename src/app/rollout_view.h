// SPDX-License-Identifier: Apache-2.0
// What a person wants to see of a Rollout while it is under way: `tidegate get rollout` (one screen) and
// `tidegate describe rollout` (all that is known). Text only; what it is made of is handed in. Pure. Thread:
// any.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace tidegate::app {

struct RolloutView {
  Json rollout;
  std::vector<Json> replica_sets;  // of its namespace: others than its own are left out
  std::vector<Json> events;        // about it, in any order
  TimePoint now{};
};

// Phase and message, weights asked and observed, revisions with their pods, steps with the current one
// marked, metrics that are measured.
std::string summary(const RolloutView& view);
// That, and conditions, routes, former rollouts and the last Events.
std::string description(const RolloutView& view);

}  // namespace tidegate::app
