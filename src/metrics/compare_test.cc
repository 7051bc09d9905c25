// SPDX-License-Identifier: Apache-2.0
// False alarms and power, by simulation: tests/judging.
#include "metrics/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "metrics/sequential.h"

namespace tidegate::metrics {
namespace {

BackendTraffic counts(std::uint64_t requests, std::uint64_t failures) {
  BackendTraffic out;
  out.requests = requests;
  out.failures = failures;
  return out;
}

// So many requests in the bucket that ends at kDurationBounds[bucket].
BackendTraffic timed(std::uint64_t fast, std::size_t bucket, std::uint64_t slow, std::size_t slow_bucket) {
  BackendTraffic out;
  out.requests = fast + slow;
  out.duration_counts[bucket] += fast;
  out.duration_counts[slow_bucket] += slow;
  return out;
}

TEST(Compare, MoreFailuresOfTheCanaryAreMoreEvidence) {
  double before = -std::numeric_limits<double>::infinity();
  for (std::uint64_t failures = 0; failures <= 100; ++failures) {
    const double now = compare({}, {}, counts(900, 9), counts(100, failures)).log_evidence;
    EXPECT_GE(now, before) << failures;
    before = now;
  }
}

TEST(Compare, MoreToleranceIsLessEvidence) {
  double before = std::numeric_limits<double>::infinity();
  for (const double worse_by : {0.0, 0.01, 0.1, 1.0, 10.0}) {
    const double now = compare({.worse_by = worse_by}, {}, counts(900, 9), counts(100, 10)).log_evidence;
    EXPECT_LT(now, before) << worse_by;
    before = now;
  }
}

TEST(Compare, ChangingSidesTurnsAlarmIntoPraise) {
  EXPECT_TRUE(is_worse({}, {}, counts(900, 9), counts(100, 20)));
  EXPECT_FALSE(is_worse({}, {}, counts(100, 20), counts(900, 9)));
}

TEST(Compare, OneFailureIsAnAnecdote) {
  const auto one = compare({}, {}, counts(100'000, 0), counts(100, 1));
  EXPECT_GT(one.log_evidence, one.log_needed);
  EXPECT_FALSE(one.worse);
  EXPECT_TRUE(compare({}, {}, counts(100'000, 0), counts(100, 2)).worse);
}

TEST(Compare, OneSlowRequestIsAnAnecdote) {
  const CompareOptions p50{.what = Compared::kLatency, .quantile = 0.5};
  const auto stable = timed(10'000'000, 0, 0, 0);
  EXPECT_FALSE(is_worse(p50, {}, stable, timed(0, 0, 1, 9)));
  EXPECT_TRUE(is_worse(p50, {}, stable, timed(0, 0, 2, 9)));
}

TEST(Compare, ASmallerDifferenceThanAskedForIsNoAlarm) {
  const auto stable = counts(900'000, 900), canary = counts(100'000, 300);
  EXPECT_TRUE(compare({}, {}, stable, canary).worse);
  const auto verdict = compare({.min_effect = 0.005}, {}, stable, canary);
  EXPECT_FALSE(verdict.worse);
  EXPECT_NE(verdict.text.find("too small to matter"), std::string::npos) << verdict.text;
}

TEST(Compare, AShareOfAlphaAsksForMore) {
  const auto whole = compare({}, {}, counts(900, 9), counts(100, 10));
  const auto half = compare({.alpha_share = 0.5}, {}, counts(900, 9), counts(100, 10));
  EXPECT_NEAR(half.log_needed - whole.log_needed, std::log(2), 1e-9);
  EXPECT_EQ(half.log_evidence, whole.log_evidence);
}

TEST(Compare, EvidenceOfStretchesAddsUp) {
  const auto stable = counts(900, 2), canary = counts(100, 3);
  EXPECT_FALSE(is_worse({}, {}, stable, canary));
  Earlier earlier;
  for (int stretch = 0; stretch < 3; ++stretch) earlier = finish_stretch({}, earlier, stable, canary);
  EXPECT_EQ(earlier.stretches, 3);
  EXPECT_TRUE(is_worse({}, earlier, stable, canary));
}

// What long good stretches have lost is not all that a later one can stake.
TEST(Compare, ACanaryThatTurnsBadLateIsSeen) {
  Earlier earlier;
  for (int stretch = 0; stretch < 5; ++stretch)
    earlier = finish_stretch({}, earlier, counts(900'000, 9000), counts(100'000, 800));
  EXPECT_LT(earlier.log_evidence, -5);
  EXPECT_TRUE(is_worse({}, earlier, counts(900, 9), counts(100, 20)));
}

TEST(Compare, LatencyIsSeenWhereAQuantileCrossesABucket) {
  const CompareOptions p99{.what = Compared::kLatency};
  const auto stable = timed(9000, 4, 10, 8);  // 75 ms
  EXPECT_FALSE(is_worse(p99, {}, stable, timed(1000, 4, 1, 8)));
  const auto slow = compare(p99, {}, stable, timed(900, 4, 100, 8));  // a tenth takes 750 ms
  EXPECT_TRUE(slow.worse) << slow.text;
  EXPECT_DOUBLE_EQ(slow.canary.lower, 0.5);
  EXPECT_DOUBLE_EQ(slow.stable.upper, 0.075);
}

TEST(Compare, LatencyWithinToleranceIsNoAlarm) {
  const auto stable = timed(9000, 4, 0, 0), canary = timed(0, 0, 1000, 5);  // 75 and 100 ms
  EXPECT_TRUE(is_worse({.what = Compared::kLatency}, {}, stable, canary));
  EXPECT_FALSE(is_worse({.what = Compared::kLatency, .worse_by = 0.5}, {}, stable, canary));
  EXPECT_FALSE(is_worse({.what = Compared::kLatency, .min_effect = 0.1}, {}, stable, canary));
}

TEST(Compare, SaysWhatItWouldHaveSeen) {
  const auto verdict = compare({.worse_by = 0.01}, {}, counts(9900, 10), counts(100, 0));
  ASSERT_TRUE(verdict.would_see);
  EXPECT_GT(*verdict.would_see, 0.02);
  EXPECT_LT(*verdict.would_see, 0.1);
  EXPECT_FALSE(compare({}, {}, counts(99, 0), counts(1, 0)).would_see);
}

TEST(Compare, TheSentenceHoldsTheFigures) {
  const std::string text = compare({}, {}, counts(360, 4), counts(40, 6)).text;
  for (const char* figure : {"6 of 40", "15 %", "4 of 360", "1.11 %", "100 to 1 asked"})
    EXPECT_NE(text.find(figure), std::string::npos) << figure << " in: " << text;
}

TEST(Compare, BoundsHoldTheEstimateAndNarrow) {
  double before = 1;
  for (const std::uint64_t requests : {10u, 100u, 1000u, 100'000u}) {
    const Side side = compare({}, {}, counts(1, 0), counts(requests, requests / 10)).canary;
    EXPECT_LE(side.lower, side.estimate);
    EXPECT_GE(side.upper, side.estimate);
    EXPECT_LT(side.upper - side.lower, before);
    before = side.upper - side.lower;
  }
}

void expect_total(const CompareOptions& options, const Earlier& earlier, const BackendTraffic& stable,
                  const BackendTraffic& canary) {
  const auto verdict = compare(options, earlier, stable, canary);
  for (const double value :
       {verdict.log_evidence, verdict.log_needed, verdict.stable.estimate, verdict.stable.lower,
        verdict.stable.upper, verdict.canary.estimate, verdict.canary.lower, verdict.canary.upper,
        verdict.would_see.value_or(0), finish_stretch(options, earlier, stable, canary).log_evidence}) {
    ASSERT_FALSE(std::isnan(value)) << verdict.text;
  }
  ASSERT_LE(verdict.canary.lower, verdict.canary.upper);
  ASSERT_EQ(verdict.text.find("nan"), std::string::npos) << verdict.text;
  ASSERT_EQ(verdict.worse, is_worse(options, earlier, stable, canary));
}

TEST(Compare, HostileNumbersYieldAVerdict) {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  const double numbers[] = {0, 1e-300, 0.5, 0.99, 1, 7, 1e300, inf, -inf, nan, -1};
  const std::uint64_t sizes[] = {0, 1, 2, 1000, 1ull << 40, ~0ull};
  std::mt19937 random(1);
  const auto any = [&](const auto& of) { return of[random() % std::size(of)]; };
  for (int i = 0; i < 5000; ++i) {
    const CompareOptions options{random() % 2 ? Compared::kFailures : Compared::kLatency,
                                 any(numbers),
                                 any(numbers),
                                 any(numbers),
                                 any(numbers),
                                 any(numbers)};
    BackendTraffic sides[2];
    for (auto& side : sides) {
      side = counts(any(sizes), any(sizes));
      for (auto& count : side.duration_counts) count = any(sizes) >> 5;
    }
    const std::int64_t stretches[] = {0, 1, -1, std::numeric_limits<std::int64_t>::max()};
    expect_total(options, {any(numbers), any(stretches)}, sides[0], sides[1]);
    if (HasFatalFailure()) return;
  }
}

TEST(Sequential, AShareNextToNothingOrToAllIsNoTrouble) {
  const std::uint64_t many = 1ull << 60;
  EXPECT_LT(log_evidence({1, 1, many, many / 2}, 0), 0.1);
  EXPECT_GT(log_evidence({many, 0, 10, 10}, 0), 100);
}

TEST(Sequential, EvidenceOfARateMirrors) {
  EXPECT_DOUBLE_EQ(log_evidence_above(30, 100, 0.1), log_evidence_below(70, 100, 0.9));
  EXPECT_GT(log_evidence_above(30, 100, 0.1), 10);
  EXPECT_LT(log_evidence_above(5, 100, 0.1), 0);
}

}  // namespace
}  // namespace tidegate::metrics
