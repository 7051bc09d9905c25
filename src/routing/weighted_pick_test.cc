// SPDX-License-Identifier: Apache-2.0
#include "routing/weighted_pick.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <thread>

namespace tidegate::routing {
namespace {

using Weights = std::vector<std::uint32_t>;

// The worst distance of any share from what was asked, at any count up to `requests`.
double worst_error(const Weights& weights, int requests) {
  PickSequence sequence;
  const WeightedPick pick(weights);
  double total = 0;
  for (const double weight : weights) total += weight;
  std::vector<double> taken(weights.size());
  double worst = 0;
  for (int n = 1; n <= requests; ++n) {
    ++taken[*pick.at(sequence.next())];
    for (std::size_t i = 0; i < weights.size(); ++i) {
      worst = std::max(worst, std::abs(taken[i] - n * (weights[i] / total)));
    }
  }
  return worst;
}

TEST(WeightedPick, EverySplitIsMetAtEveryCount) {
  for (const Weights& weights :
       {Weights{1, 99}, Weights{99, 1}, Weights{50, 50}, Weights{10, 90}, Weights{1, 1, 1}, Weights{1, 2, 97},
        Weights{333, 667}, Weights{1, 999'999}}) {
    EXPECT_LE(worst_error(weights, 10'000), 3) << weights[0] << "/" << weights[1];
    EXPECT_LE(worst_error(weights, 1'000'000), 5) << weights[0] << "/" << weights[1];
  }
}

// A rule that has served for a while: what counts is any run of requests, not those from the first on.
TEST(WeightedPick, ASmallShareIsMetInEveryWindow) {
  constexpr int kWindow = 10'000, kRequests = 1'000'000;
  PickSequence sequence;
  const WeightedPick pick(Weights{1, 99});
  std::vector<int> canary = {0};  // of the first n
  for (int n = 0; n < kRequests; ++n) canary.push_back(canary.back() + (*pick.at(sequence.next()) == 0));
  int worst = 0;
  for (std::size_t from = 0; from + kWindow < canary.size(); ++from)
    worst = std::max(worst, std::abs(canary[from + kWindow] - canary[from] - kWindow / 100));
  EXPECT_LE(worst, 3);
}

TEST(WeightedPick, SeveralThreadsMeetTheSplitTogether) {
  PickSequence sequence;
  const Weights weights = {1, 99};
  const WeightedPick pick(weights);
  std::array<std::array<int, 2>, 4> taken{};
  {
    std::vector<std::jthread> threads;
    for (auto& mine : taken) {
      threads.emplace_back([&] {
        for (int n = 0; n < 2'500; ++n) ++mine[*pick.at(sequence.next())];
      });
    }
  }
  int canary = 0;
  for (const auto& mine : taken) canary += mine[0];
  EXPECT_NEAR(canary, 100, 3);
}

TEST(WeightedPick, ChangingWeightsKeepTheSumOfWhatWasAsked) {
  PickSequence sequence;
  double asked = 0;
  int taken = 0;
  for (std::uint32_t change = 0; change < 200; ++change) {
    const Weights weights = {change % 101, 100 - change % 101};
    const WeightedPick pick(weights);
    for (int n = 0; n < 37; ++n) {
      taken += *pick.at(sequence.next()) == 0;
      asked += weights[0] / 100.0;
    }
  }
  EXPECT_NEAR(taken, asked, 40);  // 3,700 of 7,400
}

TEST(WeightedPick, AClientsOwnRhythmDoesNotLockOnToOneBackend) {
  PickSequence sequence;
  const WeightedPick pick(Weights{50, 50});
  int first_of_pair = 0;
  for (int n = 0; n < 1'000; ++n) {
    first_of_pair += *pick.at(sequence.next()) == 0;
    (void)sequence.next();
  }
  EXPECT_NEAR(first_of_pair, 500, 5);
}

TEST(WeightedPick, ZeroWeightIsNeverTaken) {
  PickSequence sequence;
  const WeightedPick pick(Weights{0, 5, 0});
  for (int n = 0; n < 10'000; ++n) ASSERT_EQ(pick.at(sequence.next()), 1U);
}

TEST(WeightedPick, AllZeroPicksNothing) {
  EXPECT_EQ(WeightedPick(Weights{0, 0}).at(7), std::nullopt);
  EXPECT_EQ(WeightedPick().at(7), std::nullopt);
}

TEST(InFraction, CountsAsAsked) {
  PickSequence sequence;
  int hits = 0;
  for (int n = 0; n < 1'000; ++n) hits += in_fraction(sequence.next(), 3, 8);
  EXPECT_NEAR(hits, 375, 2);
  EXPECT_FALSE(in_fraction(0, 0, 100));
  EXPECT_FALSE(in_fraction(0, 1, 0));
  EXPECT_TRUE(in_fraction(~0ULL, 100, 100));
}

}  // namespace
}  // namespace tidegate::routing
