// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/ledger.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tidegate::test {
namespace {

const Json& steps_of(const World& world) { return world.spec["strategy"]["canary"]["steps"]; }

std::int64_t share_of(std::int64_t replicas, double percent) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(replicas) * percent / 100 - 1e-9));
}

// How many canaries have to be ready before they get this share.
std::int64_t canaries_needed(const World& world, const api::RolloutStatus& status, double percent) {
  const auto replicas = world.spec["replicas"].get<std::int64_t>();
  std::int64_t scale = replicas;
  if (status.stage == api::Stage::kSteps) {
    scale = share_of(replicas, percent);
    for (std::int64_t i = 0; i <= status.current_step_index && i < std::ssize(steps_of(world)); ++i) {
      const auto& step = steps_of(world)[static_cast<std::size_t>(i)];
      if (!step.contains("setCanaryScale")) continue;
      const auto& set = step["setCanaryScale"];
      scale = set.contains("replicas") ? set["replicas"].get<std::int64_t>()
                                       : share_of(replicas, set["weight"].get<double>());
    }
  }
  const bool spare = percent >= 100 && world.spec["strategy"]["canary"].contains("maxUnavailable");
  const std::int64_t needed = std::min(share_of(replicas, percent), scale);
  return std::max<std::int64_t>(1, spare ? std::min(needed, replicas - replicas / 4) : needed);
}

// "step 3 setWeight 5: ...", "... past step 3"
std::int64_t step_in(const std::string& message) {
  return std::stoll(message.substr(message.find("step ") + 5));
}

bool has(const std::vector<api::PauseCondition>& pauses, const char* reason) {
  return std::any_of(pauses.begin(), pauses.end(), [&](const auto& pause) { return pause.reason == reason; });
}

const api::AnalysisRunStatus* run_of(const api::RolloutStatus& status, std::int64_t step) {
  for (const auto& run : status.analysis_runs) {
    if (run.step == step) return &run;
  }
  return nullptr;
}

}  // namespace

void Ledger::check_weight(const World& world, const rollout::Decision& decision,
                          const rollout::SetWeights& weights) const {
  const auto& next = decision.next;
  for (const auto& rule : weights.rules) {
    for (const auto& backend : rule.experiments) {
      EXPECT_EQ(next.stage, api::Stage::kSteps) << "G4: an experiment gets traffic in a step only";
      const auto set = world.sets.find(backend.service);
      EXPECT_TRUE(set != world.sets.end() && set->second.ready > 0 &&
                  world.services.contains(backend.service))
          << "G2: weight for an experiment without a ready pod";
    }
  }
  if (weights.percent <= 0) return;
  EXPECT_NE(next.stage, api::Stage::kAborted) << "G4: an abort means 0";
  const auto ready = world.endpoints("shop-canary", next.canary_revision);
  EXPECT_GT(ready, 0) << "G2: weight without a ready endpoint";
  if (weights.percent > world.decoded_status().weights.desired) {
    EXPECT_GE(ready, canaries_needed(world, next, weights.percent))
        << "G2: " << weights.percent << " % for " << ready << " ready endpoints";
  }
}

void Ledger::check_removal(const World& world, const std::string& name) const {
  for (const auto& [service, weight] : world.experiment_weights)
    EXPECT_NE(service, name) << "G12: a version of an experiment was taken away under traffic";
}

void Ledger::check_scale_down(const World& world, const rollout::ScaleReplicaSet& scale) const {
  const auto set = world.sets.find(scale.name);
  if (set == world.sets.end()) return;
  if (set->second.revision == world.decoded_status().stable_revision) {
    EXPECT_GE(scale.replicas,
              share_of(world.spec["replicas"].get<std::int64_t>(), 100 - 100 * world.canary_share()))
        << "G12: stable has fewer pods than its share needs";
  }
  if (scale.replicas > 0) return;
  const auto selects = [&](const char* service) {
    const auto found = world.services.find(service);
    return found != world.services.end() && found->second.selects == set->second.revision;
  };
  EXPECT_FALSE(selects("shop-stable")) << "G12: pods of the stable Service taken away";
  if (world.canary_weight > 0) {
    EXPECT_FALSE(selects("shop-canary")) << "G12: pods of a canary with traffic taken away";
  }
}

void Ledger::about_to(const World& world, const rollout::Decision& decision,
                      const rollout::Action& action) const {
  const auto& next = decision.next;
  if (const auto* weights = std::get_if<rollout::SetWeights>(&action))
    check_weight(world, decision, *weights);
  if (std::holds_alternative<rollout::PutRoute>(action)) {
    EXPECT_GT(world.endpoints("shop-canary", next.canary_revision), 0)
        << "G2: a header route without a ready endpoint";
    EXPECT_NE(next.stage, api::Stage::kAborted) << "G4: an abort ends header routes";
  }
  if (const auto* gone = std::get_if<rollout::DeletePod>(&action)) {
    for (const auto& [name, set] : world.sets)
      EXPECT_FALSE(set.pods.contains(gone->name) && set.ready < 2) << "G12: a restart took the last pod";
  }
  if (const auto* gone = std::get_if<rollout::DeleteService>(&action)) check_removal(world, gone->name);
  if (const auto* gone = std::get_if<rollout::DeleteReplicaSet>(&action)) check_removal(world, gone->name);
  if (const auto* scale = std::get_if<rollout::ScaleReplicaSet>(&action)) check_scale_down(world, *scale);
  if (const auto* service = std::get_if<rollout::EnsureService>(&action);
      service && service->name == "shop-canary") {
    EXPECT_EQ(world.canary_weight, 0) << "G8: the canary Service was pointed elsewhere under traffic";
    EXPECT_TRUE(world.lingering.empty())
        << "G8: the canary Service was pointed elsewhere under a header route";
  }
  if (next.stage != api::Stage::kAborted || !world.names_canary || world.canary_weight == 0) return;
  const auto* first = std::get_if<rollout::SetWeights>(&decision.actions.front());
  EXPECT_TRUE((first && first->percent == 0) || has(next.pause_conditions, "RouteConflict"))
      << "G13: the route comes first";
}

void Ledger::weights_written(const World& world, const rollout::SetWeights& weights) const {
  EXPECT_GE(world.stable_weight, 0);
  EXPECT_GE(world.canary_weight, 0);
  EXPECT_GT(world.stable_weight + world.canary_weight, 0);
  // Exact where the rule is ours alone; else as exactly as weights up to a million can be.
  EXPECT_NEAR(world.canary_share() * 100, weights.percent, world.other_weight < 0 ? 1e-9 : 1e-2)
      << "weights don't sum to the total";
  if (world.other_weight < 0) return;
  double ours = double(world.stable_weight + world.canary_weight);
  for (const auto& [name, weight] : world.experiment_weights) ours += double(weight);
  EXPECT_NEAR(double(world.other_weight) / ours, 7, 1e-3) << "G7: the other backend's share changed";
}

void Ledger::follow_steps(const World& world, const rollout::Note& note) {
  if (note.reason == "RolloutStarted") {
    steps_done_ = 0;
    skipped_.clear();
    promoted_full_ = false;
    asked_ = steps_of(world);
  } else if (note.reason == "StepCompleted" || note.reason == "StepPromoted") {
    EXPECT_EQ(step_in(note.message), steps_done_) << "G1: " << note.message;
    if (note.reason == "StepPromoted") skipped_.insert(steps_done_);
    ++steps_done_;
  } else if (note.reason == "RolloutPromoted") {
    promoted_full_ = true;
  } else if (note.reason == "StepsPassed") {
    EXPECT_EQ(steps_done_, std::ssize(asked_)) << "G1: not all steps were taken";
  }
}

void Ledger::check_promotion(const World& world, const api::RolloutStatus& next) const {
  if (promoted_full_) return;
  EXPECT_EQ(steps_done_, std::ssize(asked_)) << "G1: promoted before its last step";
  for (std::int64_t i = 0; i < std::ssize(asked_); ++i) {
    if (!asked_[static_cast<std::size_t>(i)].contains("analysis") || skipped_.contains(i)) continue;
    const auto* run = run_of(next, i);
    EXPECT_TRUE(run && run->phase == "Successful") << "G6: the analysis of step " << i << " did not pass";
  }
  if (!world.spec["strategy"]["canary"].contains("analysis")) return;
  const auto* background = run_of(next, -1);
  ASSERT_TRUE(background) << "G6: the background analysis did not run";
  EXPECT_TRUE(background->phase == "Running" || background->phase == "Successful" ||
              background->phase == "Ended")
      << "G6: promoted while the background analysis is " << background->phase;
  for (const auto& metric : background->metrics) {
    EXPECT_GT(metric.successful, 0) << "G6: metric " << metric.name << " never passed";
    EXPECT_LE(metric.failed, 1) << "G6: metric " << metric.name << " failed more often than its limit";
  }
}

void Ledger::status_written(const World& world, const rollout::Decision& decision) {
  const auto& next = decision.next;
  for (const auto& note : decision.notes) {
    follow_steps(world, note);
    if (note.reason == "StableSwitched") check_promotion(world, next);
  }
  if (next.stage == api::Stage::kSteps) {
    EXPECT_EQ(next.current_step_index, steps_done_) << "G1: a step was lost, repeated or skipped";
  }
  EXPECT_LE(next.history.size(), 10u);
  EXPECT_FALSE(next.phase.empty());
}

}  // namespace tidegate::test
