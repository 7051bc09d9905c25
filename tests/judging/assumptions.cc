// SPDX-License-Identifier: Apache-2.0
#include "tests/judging/assumptions.h"

#include <cstdio>

#include "tests/judging/contenders.h"
#include "tests/judging/traffic.h"

namespace tidegate::judging {
namespace {

constexpr int kRollouts = 2000;
constexpr int kSeconds = 600;
constexpr double kRate = 100;  // requests a second
constexpr double kWeight = 0.1;

// One service, one good canary. Defaults: what the judge assumes.
struct World {
  const char* name;
  int attempts = 1;        // of a request whose attempts all fail
  bool sticky = false;     // further attempts stay on the side of the first
  int broken_users = 0;    // each on one side throughout, all of whose requests fail, one a second
  bool drifts = false;     // share and failures rise together, fivefold
  int stretch = kSeconds;  // seconds until the judge begins a new one
  double confidence = 0.99;
};

constexpr World kWorlds[] = {
    {.name = "as assumed"},
    {.name = "each failure is tried 3 times, each try is routed anew", .attempts = 3},
    {.name = "each failure is tried 3 times on its side", .attempts = 3, .sticky = true},
    {.name = "the same, confidence 0.999999", .attempts = 3, .sticky = true, .confidence = 0.999999},
    {.name = "each failure is tried 10 times on its side", .attempts = 10, .sticky = true},
    {.name = "one sticky user whose requests all fail, 1 a second", .broken_users = 1},
    {.name = "200 sticky users whose requests all fail, 1 a second each", .broken_users = 200},
    {.name = "the share drifts from 5 % to 25 % and both fail 5 times as often", .drifts = true},
    {.name = "the same, a stretch finished each 30 s", .drifts = true, .stretch = 30},
};

class Simulation {
 public:
  Simulation(const World& world, std::uint64_t seed) : world_(world), random_(seed) {
    for (int i = 0; i < world.broken_users; ++i) broken_on_canary_ += random_.uniform() < kWeight;
  }

  Second next(int second) {
    const double progress = static_cast<double>(second) / kSeconds;
    const double share = world_.drifts ? 0.05 + 0.2 * progress : kWeight;
    const double fails = world_.drifts ? 0.002 * (1 + 4 * progress) : 0.001;
    Second out;
    for (auto left = random_.poisson(kRate); left > 0; --left) {
      bool canary = random_.uniform() < share;
      const bool failed = random_.uniform() < fails;
      add(out, canary, failed);
      for (int again = 1; failed && again < world_.attempts; ++again) {
        if (!world_.sticky) canary = random_.uniform() < share;
        add(out, canary, true);
      }
    }
    for (int i = 0; i < world_.broken_users; ++i) add(out, i < broken_on_canary_, true);
    return out;
  }

 private:
  static void add(Second& out, bool canary, bool failed) {
    ++(canary ? out.canary_requests : out.stable_requests);
    if (failed) ++(canary ? out.canary_failures : out.stable_failures);
  }

  const World& world_;
  Random random_;
  int broken_on_canary_ = 0;
};

}  // namespace

void print_assumptions() {
  std::printf(
      "\nFalse alarms on a good canary at weight 10, %d rollouts a row, confidence 0.99 unless said:\n\n",
      kRollouts);
  std::printf("| the world | false alarms |\n|---|---|\n");
  for (const World& world : kWorlds) {
    int alarms = 0;
    for (std::uint64_t i = 0; i < kRollouts; ++i) {
      Simulation simulation(world, i);
      std::vector<Second> seconds;
      for (int second = 0; second < kSeconds; ++second) seconds.push_back(simulation.next(second));
      Tidegate tidegate({.worse_by = 0.01, .confidence = world.confidence});
      alarms += run(tidegate, seconds, world.stretch).rolled_back;
    }
    std::printf("| %s | %.2f %% |\n", world.name, 100.0 * alarms / kRollouts);
    std::fflush(stdout);
  }
}

}  // namespace tidegate::judging
