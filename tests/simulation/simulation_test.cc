// SPDX-License-Identifier: Apache-2.0
// Rollouts under seeded random faults: crashes after any action, decisions on old observations, pods that
// die, noisy metrics, other writers on the route, people who annotate and ship at any time. The guarantees
// hold at each moment, and once the faults stop, everything ends.
#include <gtest/gtest.h>

#include <random>

#include "base/yaml.h"
#include "tests/scenarios/world.h"

namespace tidegate::test {
namespace {

constexpr const char* kAnalysis = R"({metrics: [{name: success, interval: 2s, failureLimit: 1, minRequests: 3,
  provider: {gateway: {metric: success-rate}}, successCondition: "result[0] >= 0.9"}]})";

const Json kTesters = {{"headerName", "x-canary"}, {"headerValue", {{"exact", "true"}}}};

class Simulation {
 public:
  explicit Simulation(std::uint32_t seed) : random_(seed), old_(world_) {
    Json steps = Json::array();
    for (int i = 0, count = 1 + pick(5); i < count; ++i) steps.push_back(random_step());
    auto& canary = world_.spec["strategy"]["canary"];
    canary["steps"] = steps;
    if (chance(50)) canary["analysis"] = yaml::parse_all(kAnalysis).value().front().value;
    if (chance(20)) world_.other_weight = 7;
    world_.spec["replicas"] = 1 + pick(6);
  }

  void run() {
    for (int i = 0; i < 40 && !testing::Test::HasFailure(); ++i) {
      disturb();
      if (chance(15)) old_ = world_;
      decide(chance(10), chance(10));
    }
    heal();
  }

 private:
  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  bool chance(int percent) { return pick(100) < percent; }

  Json random_step() {
    switch (pick(7)) {
      case 0:
      case 1:
        return {{"setWeight", pick(4) == 0 ? 0.5 : pick(101)}};
      case 2:
        return {{"pause", {{"duration", pick(5)}, {"minRequests", pick(10)}}}};
      case 3:
        return {{"setCanaryScale", {{"weight", 10 + pick(91)}}}};
      case 4:
        return {{"setHeaderRoute", {{"name", "testers"}, {"match", Json::array({kTesters})}}}};
      case 5:
        return {{"setMirrorRoute", {{"name", "shadow"}, {"percentage", 1 + pick(100)}}}};
      default:
        return {{"pause", {{"duration", 1}}}};
    }
  }

  void disturb() {
    world_.now += Duration(pick(3000));
    if (chance(70)) world_.settle();
    if (chance(80)) world_.send(static_cast<std::uint64_t>(pick(200)), chance(10) ? 0.5 : 0.01);
    if (chance(5)) world_.set_image("v" + std::to_string(1 + pick(4)));
    if (chance(8)) world_.most_ready[world_.rollout().revision] = pick(3);
    if (chance(8)) world_.most_ready.clear();
    if (chance(3)) edit_route();
    if (chance(3)) world_.own_routes.clear();
    if (chance(3)) world_.annotations["tidegate.dev/abort"] = "chaos";
    if (chance(3)) world_.annotations["tidegate.dev/retry"] = "true";
    if (chance(3)) world_.annotations["tidegate.dev/promote"] = chance(70) ? "step" : "full";
    if (chance(5)) world_.serving = !world_.serving;
    if (chance(3)) world_.traffic.canary = world_.traffic.stable = {};  // the proxy started anew
  }

  void edit_route() {
    if (!world_.names_canary) return;
    const std::int64_t moved = chance(50) ? world_.canary_weight : -world_.stable_weight / 3;
    world_.canary_weight -= moved;
    world_.stable_weight += moved;
    ++world_.route_version;
  }

  // As the controller does it: actions in order, a conflict ends it, then status. A stale decision sees an
  // old cluster.
  void decide(bool stale, bool crash) {
    const auto rollout = world_.rollout();
    const auto seen = stale ? old_.observe() : world_.observe();
    const auto decision = rollout::decide(rollout, seen);
    if (chance(10)) check_same(decision, rollout::decide(rollout, seen));
    const std::size_t performed = crash ? static_cast<std::size_t>(pick(4)) : decision.actions.size();
    for (std::size_t i = 0; i < performed && i < decision.actions.size(); ++i) {
      if (stale && conflicts(decision.actions[i])) return;
      if (!stale) check_action(decision, decision.actions[i]);
      if (!world_.apply(decision.actions[i])) return;
      check_weights(decision.actions[i]);
    }
    if (crash) return;
    world_.write_status(decision.next);
    if (!stale) check_status(decision.next);
  }

  // Writes are guarded by the version of what they were decided on.
  bool conflicts(const rollout::Action& action) const {
    if (std::holds_alternative<rollout::ScaleReplicaSet>(action) ||
        std::holds_alternative<rollout::DeleteReplicaSet>(action)) {
      return old_.sets != world_.sets;
    }
    if (std::holds_alternative<rollout::EnsureService>(action)) return old_.services != world_.services;
    return false;
  }

  void check_same(const rollout::Decision& a, const rollout::Decision& b) {
    EXPECT_TRUE(a.next == b.next) << "the same input led to another status";
    ASSERT_EQ(a.actions.size(), b.actions.size());
    for (std::size_t i = 0; i < a.actions.size(); ++i)
      EXPECT_EQ(to_string(a.actions[i]), to_string(b.actions[i]));
  }

  void check_action(const rollout::Decision& decision, const rollout::Action& action) {
    const auto& next = decision.next;
    if (const auto* weights = std::get_if<rollout::SetWeights>(&action); weights && weights->percent > 0) {
      EXPECT_GT(world_.endpoints("shop-canary", next.canary_revision), 0)
          << "G2: weight without a ready endpoint";
      EXPECT_NE(next.stage, api::Stage::kAborted) << "G4: an abort means 0";
    }
    if (std::holds_alternative<rollout::PutRoute>(action)) {
      EXPECT_GT(world_.endpoints("shop-canary", next.canary_revision), 0)
          << "G2: a header route without a ready endpoint";
      EXPECT_NE(next.stage, api::Stage::kAborted) << "G4: an abort ends header routes";
    }
    if (const auto* scale = std::get_if<rollout::ScaleReplicaSet>(&action); scale && scale->replicas == 0) {
      const auto& revision = world_.sets.at(scale->name).revision;
      EXPECT_NE(world_.services["shop-stable"].selects, revision)
          << "G12: pods of the stable Service taken away";
      if (world_.canary_weight > 0) {
        EXPECT_NE(world_.services["shop-canary"].selects, revision)
            << "G12: pods of a canary with traffic taken away";
      }
    }
    if (const auto* service = std::get_if<rollout::EnsureService>(&action);
        service && service->name == "shop-canary") {
      EXPECT_EQ(world_.canary_weight, 0) << "the canary Service was pointed elsewhere under traffic";
      EXPECT_TRUE(world_.lingering.empty())
          << "the canary Service was pointed elsewhere under a header route";
    }
    if (next.stage == api::Stage::kAborted && world_.names_canary && world_.canary_weight > 0) {
      const auto* weights = std::get_if<rollout::SetWeights>(&decision.actions.front());
      const bool conflict = std::any_of(next.pause_conditions.begin(), next.pause_conditions.end(),
                                        [](const auto& pause) { return pause.reason == "RouteConflict"; });
      EXPECT_TRUE((weights && weights->percent == 0) || conflict) << "G13: the route comes first";
    }
  }

  // Exact where the rule is ours alone; else as exactly as weights up to a million can be.
  double exactness() const { return world_.other_weight < 0 ? 1e-9 : 1e-2; }

  void check_weights(const rollout::Action& action) {
    const auto* weights = std::get_if<rollout::SetWeights>(&action);
    if (!weights) return;
    EXPECT_GE(world_.stable_weight, 0);
    EXPECT_NEAR(world_.canary_share() * 100, weights->percent, exactness()) << "weights sum to the total";
    if (world_.other_weight >= 0) {
      EXPECT_NEAR(double(world_.other_weight) / double(world_.stable_weight + world_.canary_weight),
                  other_share_, 1e-3)
          << "G7: the other backend's share changed";
    }
  }

  void check_status(const api::RolloutStatus& next) {
    EXPECT_LE(next.history.size(), 10u);
    EXPECT_FALSE(next.phase.empty());
  }

  // The faults stop; what is under way has to end.
  void heal() {
    world_.most_ready.clear();
    world_.serving = true;
    for (int second = 0; second < 400; ++second) {
      world_.now += Duration(1000);
      world_.settle();
      world_.send(100, 0);
      decide(false, false);
      if (over() && second > 3) break;
      if (second == 150)
        world_.annotations["tidegate.dev/promote"] = "step";  // whoever waits for a person gets one
      if (testing::Test::HasFailure()) return;
    }
    const auto status = world_.decoded_status();
    EXPECT_TRUE(status.phase == "Healthy" || status.stage == api::Stage::kAborted)
        << "G10: did not end: " << world_.readable(status.phase + ": " + status.message);
    EXPECT_EQ(world_.canary_weight, 0);
    EXPECT_TRUE(world_.own_routes.empty()) << "a header route is left";
    EXPECT_FALSE(world_.rule.contains("filters")) << "a mirror is left";
    std::int64_t serving = 0;
    for (const auto& [name, set] : world_.sets)
      serving += set.revision == status.stable_revision ? set.ready : 0;
    EXPECT_GE(serving, world_.spec["replicas"].get<std::int64_t>());
  }

  bool over() const {
    const auto status = world_.decoded_status();
    return world_.annotations.empty() &&
           (status.phase == "Healthy" || status.stage == api::Stage::kAborted) && world_.canary_weight == 0;
  }

  std::mt19937 random_;
  World world_;
  World old_;
  const double other_share_ = 7;  // of a rule that begins with 1 for stable and 7 for another
};

TEST(Simulation, GuaranteesHoldUnderFaults) {
  for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation(seed).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tidegate::test
