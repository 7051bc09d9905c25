// SPDX-License-Identifier: Apache-2.0
#include "metrics/sequential.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "metrics/gateway_provider.h"

namespace tidegate::metrics {
namespace {

// The closed sum for whole a and b: I_x(a, b) = P(Binomial(a+b-1, x) >= a).
double incomplete_beta_by_sum(int a, int b, double x) {
  double sum = 0;
  const int n = a + b - 1;
  for (int j = a; j <= n; ++j) {
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(j + 1) - std::lgamma(n - j + 1) + j * std::log(x) +
                    (n - j) * std::log(1 - x));
  }
  return sum;
}

TEST(Sequential, IncompleteBetaAgreesWithItsSum) {
  for (int a : {1, 2, 7, 40}) {
    for (int b : {1, 3, 25, 200}) {
      for (double x : {0.001, 0.05, 0.3, 0.5, 0.95}) {
        const double expected = incomplete_beta_by_sum(a, b, x);
        EXPECT_NEAR(std::exp(log_incomplete_beta(a, b, x)), expected, 1e-9) << a << " " << b << " " << x;
      }
    }
  }
}

TEST(Sequential, NothingToCompareIsNoEvidence) {
  EXPECT_EQ(log_evidence({1000, 0, 50, 0}, 0), 0);
  EXPECT_EQ(log_evidence({1000, 5, 0, 0}, 0), 0);
  EXPECT_EQ(log_evidence({0, 0, 50, 20}, 0), 0);
}

// Requests one at a time, the test looked at after each. Returns after how many of the canary's it says
// "worse", or -1.
int requests_until_alarm(std::mt19937& random, double share, double stable_rate, double canary_rate,
                         int requests, double worse_by, double confidence) {
  std::uniform_real_distribution<double> uniform(0, 1);
  Split split;
  for (int i = 0; i < requests; ++i) {
    const bool canary = uniform(random) < share;
    const bool failed = uniform(random) < (canary ? canary_rate : stable_rate);
    ++(canary ? split.canary_requests : split.stable_requests);
    if (failed) ++(canary ? split.canary_failures : split.stable_failures);
    if (failed && log_evidence(split, worse_by) >= log_evidence_needed(confidence)) {
      return static_cast<int>(split.canary_requests);
    }
  }
  return -1;
}

TEST(Sequential, KeepsItsRateOfFalseAlarms) {
  std::mt19937 random(20260817);
  for (const double share : {0.05, 0.5}) {
    for (const double tolerated : {0.0, 0.5}) {
      int alarms = 0;
      constexpr int kRuns = 400;
      for (int run = 0; run < kRuns; ++run) {
        alarms +=
            requests_until_alarm(random, share, 0.02, 0.02 * (1 + tolerated), 3000, tolerated, 0.95) >= 0;
      }
      EXPECT_LE(alarms, kRuns * 0.05) << "share " << share << ", tolerated " << tolerated;
    }
  }
}

TEST(Sequential, ABadCanaryIsOutAfterTensOfRequests) {
  std::mt19937 random(7);
  std::vector<int> needed;
  for (int run = 0; run < 200; ++run) {
    const int requests = requests_until_alarm(random, 0.05, 0.001, 0.2, 20'000, 0.01, 0.99);
    ASSERT_GE(requests, 0);
    needed.push_back(requests);
  }
  std::sort(needed.begin(), needed.end());
  EXPECT_LT(needed[100], 40);
  EXPECT_LT(needed[190], 100);
}

TEST(GatewayProvider, CountsStartAnewWithTheProxy) {
  BackendTraffic then, now;
  then.requests = 100;
  now.requests = 7;
  EXPECT_EQ(since(now, then).requests, 7u);
  now.requests = 130;
  now.failures = 3;
  EXPECT_EQ(since(now, then).requests, 30u);
  EXPECT_DOUBLE_EQ(success_rate(since(now, then)), 0.9);
}

TEST(GatewayProvider, WithoutRequestsThereIsNoValue) {
  EXPECT_TRUE(std::isnan(success_rate({})));
  EXPECT_TRUE(std::isnan(latency_quantile({}, 0.99)));
}

TEST(GatewayProvider, QuantileWithinItsBucket) {
  BackendTraffic traffic;
  traffic.duration_counts[0] = 50;  // up to 5 ms
  traffic.duration_counts[1] = 50;  // up to 10 ms
  EXPECT_DOUBLE_EQ(latency_quantile(traffic, 0.5), 0.005);
  EXPECT_DOUBLE_EQ(latency_quantile(traffic, 0.75), 0.0075);
  traffic.duration_counts.back() = 900;
  EXPECT_DOUBLE_EQ(latency_quantile(traffic, 0.99), 10);
}

}  // namespace
}  // namespace tidegate::metrics
