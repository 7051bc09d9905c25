// SPDX-License-Identifier: Apache-2.0
// The judge's promises, by simulation with fixed seeds: false alarms under peeking each second, and power.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "tests/judging/contenders.h"
#include "tests/judging/latency.h"
#include "tests/judging/traffic.h"

namespace tidegate::judging {
namespace {

constexpr int kStep = 120;  // seconds a weight
constexpr std::array<double, 5> kWeights = {0.01, 0.05, 0.1, 0.25, 0.5};
constexpr int kSeconds = kStep * static_cast<int>(kWeights.size());

// Both sides fail at a rate that may change, the weight goes up step by step.
Conditions alike(int second, double fails) {
  return {kWeights[static_cast<std::size_t>(second / kStep)], fails, fails};
}

int alarms(const Shape& shape, int rollouts, const metrics::CompareOptions& options,
           const std::function<Conditions(int)>& at) {
  int out = 0;
  for (int i = 0; i < rollouts; ++i) {
    Tidegate tidegate(options);
    const auto seed = Random(77 + static_cast<std::uint64_t>(i)).next();
    out += run(tidegate, record(Traffic(shape, seed), kSeconds, at), kStep).rolled_back;
  }
  return out;
}

// Three standard deviations above what is promised.
double most(int rollouts, double alpha) {
  return rollouts * alpha + 3 * std::sqrt(rollouts * alpha * (1 - alpha));
}

struct Promise {
  const char* name;
  const char* shape;
  double worse_by, confidence;
  std::function<double(int)> fails;
};

TEST(Judging, KeepsItsRateOfFalseAlarmsHoweverOftenItIsAsked) {
  const auto rarely = [](int) { return 0.001; };
  const auto often = [](int) { return 0.05; };
  const auto rising = [](int second) { return 0.001 + 0.1 * second / kSeconds; };
  const auto incident = [](int second) { return second > 200 && second < 280 ? 0.5 : 0.001; };
  const auto waves = [](int second) { return 0.02 + 0.018 * std::sin(second / 7.0); };
  const Promise promises[] = {{"rare failures", "steady", 0, 0.99, rarely},
                              {"rare failures, daily", "daily", 0.01, 0.99, rarely},
                              {"often", "bursty", 0, 0.9, often},
                              {"little traffic", "low", 0, 0.9, often},
                              {"recorded", "recorded", 0, 0.9, often},
                              {"rising for both", "steady", 0, 0.9, rising},
                              {"an incident of both", "bursty", 0, 0.9, incident},
                              {"waves", "bursty", 0, 0.9, waves}};
  constexpr int kRollouts = 1000;
  for (const auto& promise : promises) {
    const int seen = alarms(read_shape(promise.shape), kRollouts,
                            {.worse_by = promise.worse_by, .confidence = promise.confidence},
                            [&](int second) { return alike(second, promise.fails(second)); });
    EXPECT_LE(seen, most(kRollouts, 1 - promise.confidence)) << promise.name;
    RecordProperty(std::string(promise.name), seen);
  }
}

TEST(Judging, WithinTheToleranceThereIsNoAlarm) {
  constexpr int kRollouts = 1000;
  const int seen =
      alarms(read_shape("steady"), kRollouts, {.worse_by = 0.5, .confidence = 0.9}, [](int second) {
        return Conditions{kWeights[static_cast<std::size_t>(second / kStep)], 0.02, 0.03};
      });
  EXPECT_LE(seen, most(kRollouts, 0.1));
}

// That the simulation can fail: the textbook's test of two rates, asked every second, breaks its promise.
class FixedHorizonTest : public Contender {
 public:
  bool watch(const Second& second) override {
    stable_ += second.stable_requests;
    stable_failures_ += second.stable_failures;
    canary_ += second.canary_requests;
    canary_failures_ += second.canary_failures;
    if (canary_ < 100 || canary_failures_ < 5) return false;
    const double pooled = (stable_failures_ + canary_failures_) / (stable_ + canary_);
    const double deviation = std::sqrt(pooled * (1 - pooled) * (1 / stable_ + 1 / canary_));
    return (canary_failures_ / canary_ - stable_failures_ / stable_) / deviation > 1.2816;  // 10 %
  }

 private:
  double stable_ = 0, stable_failures_ = 0, canary_ = 0, canary_failures_ = 0;
};

TEST(Judging, ATestForOneLookBreaksItsPromiseHere) {
  constexpr int kRollouts = 200;
  const Shape shape = read_shape("steady");
  int seen = 0;
  for (int i = 0; i < kRollouts; ++i) {
    FixedHorizonTest peeking;
    const auto at = [](int second) { return alike(second, 0.02); };
    seen +=
        run(peeking, record(Traffic(shape, static_cast<std::uint64_t>(i)), kSeconds, at), kStep).rolled_back;
  }
  EXPECT_GT(seen, 2 * most(kRollouts, 0.1));
}

TEST(Judging, ABadCanaryIsOutAfterTensOfItsRequests) {
  constexpr int kRollouts = 400;
  const Shape shape = read_shape("steady");
  std::vector<std::uint64_t> served;
  for (int i = 0; i < kRollouts; ++i) {
    Tidegate tidegate({.worse_by = 0.01, .confidence = 0.99});
    const auto seconds = record(Traffic(shape, static_cast<std::uint64_t>(i)), 120, [](int) {
      return Conditions{0.1, 0.001, 0.2};
    });
    const auto outcome = run(tidegate, seconds, 1000);
    ASSERT_TRUE(outcome.rolled_back);
    served.push_back(outcome.served);
  }
  std::sort(served.begin(), served.end());
  EXPECT_LT(served[kRollouts / 2], 50u);
  EXPECT_LT(served[kRollouts * 99 / 100], 100u);
}

TEST(Judging, SeesWhatItSaysItWouldHaveSeen) {
  const metrics::CompareOptions options{.worse_by = 0.01, .confidence = 0.99};
  const Shape shape = read_shape("steady");
  for (const double weight : {0.05, 0.5}) {
    constexpr int kRollouts = 400, kLasting = 100;
    const double requests = 100 * kLasting;
    const auto rate = metrics::smallest_seen(options, requests * (1 - weight),
                                             requests * (1 - weight) * 0.002, requests * weight);
    ASSERT_TRUE(rate);
    int seen = 0;
    for (int i = 0; i < kRollouts; ++i) {
      Tidegate tidegate(options);
      const auto seconds = record(Traffic(shape, static_cast<std::uint64_t>(i)), kLasting, [&](int) {
        return Conditions{weight, 0.002, *rate};
      });
      seen += run(tidegate, seconds, 1000).rolled_back;
    }
    EXPECT_GE(seen, kRollouts * 0.85) << *rate;
  }
}

struct Slowness {
  const char* name;
  double worse_by;
  Medians medians;
};

TEST(Judging, LatencyKeepsItsRateOfFalseAlarms) {
  const Slowness slownesses[] = {{"constant", 0,
                                  [](int) {
                                    return std::array{0.04, 0.04};
                                  }},
                                 {"rising for both", 0,
                                  [](int at) {
                                    return std::array{0.02 + 0.001 * at, 0.02 + 0.001 * at};
                                  }},
                                 {"within the tolerance", 0.2, [](int) {
                                    return std::array{0.04, 0.045};
                                  }}};
  constexpr int kRollouts = 150, kSecondsEach = 200;
  for (const double quantile : {0.5, 0.9, 0.99}) {
    for (const auto& slowness : slownesses) {
      const metrics::CompareOptions options{.what = metrics::Compared::kLatency,
                                            .quantile = quantile,
                                            .worse_by = slowness.worse_by,
                                            .confidence = 0.9};
      int seen = 0;
      for (std::uint64_t i = 0; i < kRollouts; ++i)
        seen += requests_until_slow(i, options, kSecondsEach, slowness.medians) > 0;
      EXPECT_LE(seen, most(kRollouts, 0.1)) << slowness.name << " " << quantile;
      RecordProperty(slowness.name + std::to_string(quantile), seen);
    }
  }
}

TEST(Judging, ASlowCanaryIsOutAfterTensToHundredsOfItsRequests) {
  struct Case {
    double median, quantile, worse_by;
    std::uint64_t most;
  };
  const Case cases[] = {
      {0.12, 0.99, 0.1, 100}, {0.12, 0.5, 0.1, 100}, {0.08, 0.99, 0.1, 600}, {0.06, 0.9, 0.1, 600}};
  for (const auto& slow : cases) {
    std::vector<std::uint64_t> served;
    for (std::uint64_t i = 0; i < 50; ++i) {
      served.push_back(requests_until_slow(
          i, {.what = metrics::Compared::kLatency, .quantile = slow.quantile, .worse_by = slow.worse_by}, 400,
          [&](int) {
            return std::array{0.04, slow.median};
          }));
      ASSERT_GT(served.back(), 0u) << slow.median << " " << slow.quantile;
    }
    std::sort(served.begin(), served.end());
    EXPECT_LT(served[25], slow.most) << slow.median << " " << slow.quantile;
    RecordProperty("p" + std::to_string(slow.quantile) + "median" + std::to_string(slow.median),
                   static_cast<int>(served[25]));
  }
}

}  // namespace
}  // namespace tidegate::judging
