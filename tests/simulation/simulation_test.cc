// SPDX-License-Identifier: Apache-2.0
// Random rollouts of the pure machine under seeded faults: crashes at every write boundary, lagging caches, a
// second controller that was frozen and comes back with an old view, pods that die, noisy metrics, a clock
// that jumps, other writers on the route, people who annotate, edit and ship at any time. The guarantees hold
// at each write (ledger.h), and once the faults stop, everything ends. TIDEGATE_SEED=n runs one seed alone.
#include <gtest/gtest.h>

#include <random>

#include "base/yaml.h"
#include "tests/simulation/ledger.h"

namespace tidegate::test {
namespace {

#ifdef __OPTIMIZE__
constexpr std::uint32_t kRollouts = 10'000;
#else
constexpr std::uint32_t kRollouts = 1'000;
#endif

std::uint32_t rollouts() {
  const char* asked = std::getenv("TIDEGATE_ROLLOUTS");
  return asked ? static_cast<std::uint32_t>(std::stoul(asked)) : kRollouts;
}
constexpr std::uint32_t kBlock = 1'000;

Json yaml_of(const char* text) { return yaml::parse_all(text).value().front().value; }

const Json& analysis() {
  static const Json kAnalysis = yaml_of(R"({metrics: [{name: success, interval: 2s, failureLimit: 1,
    minRequests: 3, provider: {gateway: {metric: success-rate}}, successCondition: "result[0] >= 0.9"}]})");
  return kAnalysis;
}

const Json kTesters = {{"headerName", "x-canary"}, {"headerValue", {{"exact", "true"}}}};

class Simulation {
 public:
  explicit Simulation(std::uint32_t seed) : random_(seed) {
    auto& canary = world_.spec["strategy"]["canary"];
    canary["steps"] = random_steps();
    if (chance(50)) canary["analysis"] = analysis();
    if (chance(20)) world_.other_weight = 7;
    if (chance(30)) canary["dynamicStableScale"] = true;
    if (chance(20)) canary["maxUnavailable"] = "25%";
    world_.spec["replicas"] = 1 + pick(6);
    lagging_ = frozen_ = world_;
  }

  void run() {
    for (int i = 0; i < 40 && !testing::Test::HasFailure(); ++i) {
      disturb();
      if (chance(15)) lagging_ = world_;
      if (chance(5)) frozen_ = world_, frozen_version_ = version_;
      const int how = pick(100);
      if (how < 10) {
        decide(View::kLagging);
      } else if (how < 15) {
        decide(View::kFrozen);
      } else {
        decide(View::kFresh);
      }
    }
    heal();
  }

 private:
  // What a controller decides on: the world as it is; its own Rollout and old caches of all else; nothing
  // that is not old, since another controller has worked meanwhile.
  enum class View { kFresh, kLagging, kFrozen };

  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  bool chance(int percent) { return pick(100) < percent; }

  Json random_steps() {
    Json steps = Json::array();
    double weight = 0;
    for (int i = 0, count = 1 + pick(5); i < count; ++i) {
      steps.push_back(chance(10) && weight <= 80 ? random_experiment() : random_step());
      weight = steps.back().value("setWeight", weight);
    }
    return steps;
  }
  Json random_experiment() {
    Json experiment = {{"duration", pick(5)}, {"templates", Json::array()}};
    for (const char* version : {"stable", "canary"}) {
      if (experiment["templates"].empty() || chance(60))
        experiment["templates"].push_back(
            {{"name", version}, {"specRef", version}, {"replicas", 1 + pick(2)}, {"weight", pick(11)}});
    }
    if (chance(50)) experiment["analysis"] = analysis();
    return {{"experiment", experiment}};
  }
  Json random_step() {
    switch (pick(10)) {
      case 0:
      case 1:
      case 2:
        return {{"setWeight", pick(4) == 0 ? 0.5 : pick(101)}};
      case 3:
        return {{"pause", {{"duration", pick(5)}, {"minRequests", pick(10)}}}};
      case 4:
        return {{"setCanaryScale", {{"weight", 10 + pick(91)}}}};
      case 5:
        return {{"analysis", analysis()}};
      case 6:
        return {{"pause", Json::object()}};
      case 7:
        return {{"setHeaderRoute", {{"name", "testers"}, {"match", Json::array({kTesters})}}}};
      case 8:
        return {{"setMirrorRoute", {{"name", "shadow"}, {"percentage", 1 + pick(100)}}}};
      default:
        return {{"pause", {{"duration", 1}}}};
    }
  }

  void disturb() {
    world_.now += Duration(pick(3000));
    if (chance(1)) world_.now += Duration(pick(600'000));  // the clock jumps ...
    if (chance(1)) world_.now -= Duration(pick(60'000));   // ... and back
    if (chance(70)) world_.settle();
    if (chance(80)) world_.send(static_cast<std::uint64_t>(pick(200)), chance(10) ? 0.5 : 0.01);
    if (chance(8)) world_.most_ready[world_.rollout().revision] = pick(3);
    if (chance(8)) world_.most_ready.clear();
    if (chance(3)) edit_route();
    if (chance(3)) world_.own_routes.clear();
    if (chance(5)) world_.serving = !world_.serving;
    if (chance(3)) world_.traffic.canary = world_.traffic.stable = {};  // the proxy started anew
    people();
  }

  void people() {
    const auto annotate = [&](const char* key, const char* value) {
      world_.annotations[key] = value;
      ++version_;
    };
    if (chance(5)) world_.set_image("v" + std::to_string(1 + pick(4))), ++version_;
    if (chance(2)) world_.spec["strategy"]["canary"]["steps"] = random_steps(), ++version_;
    if (chance(2)) world_.spec["replicas"] = 1 + pick(6), ++version_;
    if (chance(3)) annotate(api::kAbortAnnotation, "chaos");
    if (chance(3)) annotate(api::kRetryAnnotation, "true");
    if (chance(4)) annotate(api::kPromoteAnnotation, chance(70) ? "step" : "full");
    if (chance(2)) annotate(api::kPauseAnnotation, "wait");
    if (chance(2)) annotate(api::kRestartAnnotation, "true");
    if (chance(10) && world_.annotations.erase(api::kPauseAnnotation) > 0) ++version_;
  }

  void edit_route() {
    if (!world_.names_canary) return;
    const std::int64_t moved = chance(50) ? world_.canary_weight : -world_.stable_weight / 3;
    world_.canary_weight -= moved;
    world_.stable_weight += moved;
    ++world_.route_version;
  }

  // As the controller does it: actions in order, a conflict ends it, then status. A crash, or an answer that
  // never comes, may end it at each boundary.
  void decide(View view) {
    const bool fresh = view == View::kFresh;
    lagging_.lingering = world_.lingering;  // what proxies serve comes from them, not from a cache
    const World& cache = fresh ? world_ : view == View::kLagging ? lagging_ : frozen_;
    const auto rollout = view == View::kFrozen ? frozen_.rollout() : world_.rollout();
    std::uint64_t version = view == View::kFrozen ? frozen_version_ : version_;
    auto seen = cache.observe();
    if (view == View::kLagging) seen.now = world_.now;
    const auto decision = rollout::decide(rollout, seen);
    if (chance(10)) check_same(decision, rollout::decide(rollout, seen));
    const auto boundaries = static_cast<int>(decision.actions.size()) + 1;
    const int lives = chance(15) ? pick(boundaries) : boundaries;
    for (int i = 0; i < lives && i < boundaries - 1; ++i) {
      const auto& action = decision.actions[static_cast<std::size_t>(i)];
      if (fresh) ledger_.about_to(world_, decision, action);
      if (!perform(cache, action, version)) return;
    }
    if (lives < boundaries || version != version_) return;
    if (world_.write_status(decision.next)) ++version_;
    world_.measure(decision.measures);
    ledger_.status_written(world_, decision);
  }

  // False: what it was decided on is not what is there any more.
  bool perform(const World& cache, const rollout::Action& action, std::uint64_t& version) {
    if (conflicts(cache, action)) return false;
    if (std::holds_alternative<rollout::RemoveAnnotation>(action)) {
      if (version != version_) return false;
      version = ++version_;
    }
    if (!world_.apply(action)) return false;
    if (const auto* weights = std::get_if<rollout::SetWeights>(&action))
      ledger_.weights_written(world_, *weights);
    return true;
  }

  // Writes are guarded by the version of what they were decided on.
  bool conflicts(const World& cache, const rollout::Action& action) const {
    const auto differs = [](const auto& then, const auto& now, const std::string& name) {
      const auto before = then.find(name);
      const auto after = now.find(name);
      if (before == then.end() || after == now.end()) return before != then.end() || after != now.end();
      return !(before->second == after->second);
    };
    if (const auto* scale = std::get_if<rollout::ScaleReplicaSet>(&action))
      return differs(cache.sets, world_.sets, scale->name);
    if (const auto* gone = std::get_if<rollout::DeleteReplicaSet>(&action))
      return differs(cache.sets, world_.sets, gone->name);
    if (const auto* gone = std::get_if<rollout::DeleteRoute>(&action)) {
      const auto before = cache.own_routes.find(gone->route), now = world_.own_routes.find(gone->route);
      return before == cache.own_routes.end() || now == world_.own_routes.end() ||
             before->second.version != now->second.version;
    }
    if (const auto* gone = std::get_if<rollout::DeleteService>(&action))
      return differs(cache.services, world_.services, gone->name);
    if (const auto* sticky = std::get_if<rollout::SetSticky>(&action))
      return differs(cache.sticky, world_.sticky, sticky->service);
    if (const auto* service = std::get_if<rollout::EnsureService>(&action))
      return differs(cache.services, world_.services, service->name);
    return false;
  }

  void check_same(const rollout::Decision& a, const rollout::Decision& b) {
    EXPECT_TRUE(a.next == b.next) << "the same input led to another status";
    ASSERT_EQ(a.actions.size(), b.actions.size());
    for (std::size_t i = 0; i < a.actions.size(); ++i)
      EXPECT_EQ(to_string(a.actions[i]), to_string(b.actions[i]));
  }

  // The faults stop; what is under way has to end, if people do what they are asked for.
  void heal() {
    world_.most_ready.clear();
    world_.serving = true;
    world_.annotations.erase(api::kPauseAnnotation);
    ++version_;
    for (int second = 1; second < 600 && !testing::Test::HasFailure(); ++second) {
      world_.now += Duration(1000);
      world_.settle();
      world_.send(100, 0);
      decide(View::kFresh);
      if (over() && second > 3) break;
      if (second % 20 == 0 && world_.decoded_status().phase == "Paused")
        world_.annotations[api::kPromoteAnnotation] = "step", ++version_;
    }
    const auto status = world_.decoded_status();
    EXPECT_TRUE(over()) << "G10: did not end: " << world_.readable(status.phase + ": " + status.message);
    EXPECT_TRUE(world_.own_routes.empty()) << "a header route is left";
    EXPECT_FALSE(world_.rule.contains("filters")) << "a mirror is left";
    EXPECT_TRUE(world_.experiment_weights.empty()) << "a backend of an experiment is left";
    std::int64_t serving = 0;
    for (const auto& [name, set] : world_.sets)
      serving += set.revision == status.stable_revision ? set.ready : 0;
    EXPECT_GE(serving, world_.spec["replicas"].get<std::int64_t>());
    rest();
  }

  bool over() const {
    const auto status = world_.decoded_status();
    if (!world_.annotations.empty() || world_.canary_weight != 0 || !world_.experiment_weights.empty())
      return false;
    if (status.restart || (status.phase != "Healthy" && status.stage != api::Stage::kAborted)) return false;
    // It may be from before the last wish.
    return rollout::decide(world_.rollout(), world_.observe()).next.phase == status.phase;
  }

  // After the delays of scaling down nothing is written any more (G7).
  void rest() {
    for (int i = 0; i < 8; ++i) {
      world_.now += Duration(31'000);
      world_.settle();
      const auto decision = rollout::decide(world_.rollout(), world_.observe());
      for (const auto& action : decision.actions) world_.apply(action);
      world_.write_status(decision.next);
    }
    for (const auto& [name, set] : world_.sets) EXPECT_FALSE(set.experiment) << name << " is left";
    EXPECT_LE(world_.services.size(), 2u) << "a Service of an experiment is left";
    EXPECT_TRUE(world_.finalizers.empty());
    const auto decision = rollout::decide(world_.rollout(), world_.observe());
    EXPECT_TRUE(decision.actions.empty()) << "G7: " << to_string(decision.actions.front());
    EXPECT_TRUE(decision.next == world_.decoded_status()) << "G7: a status written for nothing";
  }

  std::mt19937 random_;
  World world_;
  World lagging_, frozen_;
  std::uint64_t version_ = 1, frozen_version_ = 1;  // of the Rollout
  Ledger ledger_;
};

class Simulations : public testing::TestWithParam<std::uint32_t> {};

TEST_P(Simulations, KeepTheGuarantees) {
  const char* asked = std::getenv("TIDEGATE_SEED");
  const auto first = asked ? static_cast<std::uint32_t>(std::stoul(asked)) : GetParam();
  const auto last = asked ? first : first + kBlock - 1;
  for (std::uint32_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("TIDEGATE_SEED=" + std::to_string(seed));
    Simulation(seed).run();
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulations, testing::Range(1u, rollouts() + 1, kBlock),
                         [](const auto& info) { return "From" + std::to_string(info.param); });

}  // namespace
}  // namespace tidegate::test
