// SPDX-License-Identifier: Apache-2.0
// Keeps the books of one simulated Rollout from what is written, and holds each entry against the guarantees.
// It reads the spec for itself rather than asking the code under test what it meant. Thread: none.
#pragma once

#include <set>

#include "tests/scenarios/world.h"

namespace tidegate::test {

class Ledger {
 public:
  // Before an action is performed on what the decision has seen: G2, G4, G8, G12, G13.
  void about_to(const World& world, const rollout::Decision& decision, const rollout::Action& action) const;
  // After the weights were written: they are whole (G9), and the others keep their share (G7).
  void weights_written(const World& world, const rollout::SetWeights& weights) const;
  // After the status was written: each step once, in its order (G1), and what G6 asks for.
  void status_written(const World& world, const rollout::Decision& decision);

 private:
  void follow_steps(const World& world, const rollout::Note& note);
  void check_promotion(const World& world, const api::RolloutStatus& next) const;
  void check_removal(const World& world, const std::string& name) const;
  void check_scale_down(const World& world, const rollout::ScaleReplicaSet& scale) const;
  void check_weight(const World& world, const rollout::Decision& decision,
                    const rollout::SetWeights& weights) const;

  Json asked_ = Json::array();  // the steps that it began with
  std::int64_t steps_done_ = 0;
  std::set<std::int64_t> skipped_;  // by a person
  bool promoted_full_ = false;
};

}  // namespace tidegate::test
