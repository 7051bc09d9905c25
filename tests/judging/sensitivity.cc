// SPDX-License-Identifier: Apache-2.0
#include "tests/judging/sensitivity.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "metrics/compare.h"
#include "tests/judging/contenders.h"
#include "tests/judging/latency.h"

namespace tidegate::judging {
namespace {

constexpr double kStableFails = 0.001;
constexpr double kStableMedian = 0.04;  // seconds
constexpr int kSlowRollouts = 200;
constexpr int kLateRollouts = 100;
constexpr int kSeconds = 600;

void print_failures() {
  const metrics::CompareOptions options{.worse_by = 0.01, .confidence = 0.99};
  std::printf(
      "\nThe smallest failure rate of a canary that is seen nine times in ten, while stable fails %.1f "
      "%%:\n\n",
      100 * kStableFails);
  std::printf("| requests of the canary | weight 1 | 5 | 10 | 25 | 50 |\n|---|---|---|---|---|---|\n");
  for (const double requests : {10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10'000.0, 100'000.0}) {
    std::printf("| %.0f |", requests);
    for (const double weight : {0.01, 0.05, 0.1, 0.25, 0.5}) {
      const double of_stable = requests / weight * (1 - weight);
      const auto seen = metrics::smallest_seen(options, of_stable, of_stable * kStableFails, requests);
      if (seen)
        std::printf(" %.2g %% |", 100 * *seen);
      else
        std::printf(" none |");
    }
    std::printf("\n");
  }
}

void print_latency_row(double quantile, double slower) {
  const metrics::CompareOptions options{
      .what = metrics::Compared::kLatency, .quantile = quantile, .worse_by = 0.1, .confidence = 0.99};
  std::vector<std::uint64_t> served;
  for (std::uint64_t i = 0; i < kSlowRollouts; ++i) {
    const auto requests = requests_until_slow(i, options, kSeconds, [&](int) {
      return std::array{kStableMedian, kStableMedian * slower};
    });
    if (requests > 0) served.push_back(requests);
  }
  std::sort(served.begin(), served.end());
  std::printf("| p%.0f | %.3g times | %.3g %% |", 100 * quantile, slower,
              100.0 * static_cast<double>(served.size()) / kSlowRollouts);
  if (served.empty())
    std::printf(" - |\n");
  else
    std::printf(" %llu / %llu |\n", static_cast<unsigned long long>(served[served.size() / 2]),
                static_cast<unsigned long long>(served[served.size() * 99 / 100]));
}

void print_latency() {
  std::printf(
      "\nSlow canaries: log-normal durations, stable's median %.0f ms; 5 requests a second on the canary for "
      "%d "
      "seconds,\nthen 25 for %d; worseBy 10 %%, %d rollouts a row:\n\n",
      1000 * kStableMedian, kSeconds / 2, kSeconds / 2, kSlowRollouts);
  std::printf(
      "| compared | canary slower by | called slower | after so many of its requests |\n|---|---|---|---|\n");
  for (const double quantile : {0.5, 0.9, 0.99}) {
    for (const double slower : {1.0, 1.05, 1.25, 1.5, 2.0, 3.0}) print_latency_row(quantile, slower);
  }
}

// Failures from the moment on that the canary turns bad until traffic is back on stable.
double failed_late(double weight, int good_seconds, double fails) {
  const Shape shape = read_shape("steady");
  const auto at = [&](int second) {
    return Conditions{weight, kStableFails, second < good_seconds ? kStableFails : fails};
  };
  double failed = 0;
  for (std::uint64_t i = 0; i < kLateRollouts; ++i) {
    const int most = good_seconds + 600;
    const auto seconds = record(Traffic(shape, i), most, at);
    Tidegate tidegate({.worse_by = 0.01, .confidence = 0.99});
    const Run outcome = run(tidegate, seconds, most);
    for (int second = good_seconds; second < outcome.seconds; ++second)
      failed += seconds[static_cast<std::size_t>(second)].canary_failures / double{kLateRollouts};
  }
  return failed;
}

void print_late() {
  std::printf(
      "\nFailures of a canary that turns bad, from then on until traffic is back, traffic `steady`, %d "
      "rollouts:\n\n",
      kLateRollouts);
  std::printf(
      "| weight | then fails | at once | after 10 minutes | after 25 minutes | after an hour "
      "|\n|---|---|---|---|---|---|\n");
  for (const double weight : {0.1, 0.5}) {
    for (const double fails : {0.01, 0.05, 0.2, 1.0}) {
      std::printf("| %.0f | %.0f %% |", 100 * weight, 100 * fails);
      for (const int good : {0, 600, 1500, 3600}) std::printf(" %.1f |", failed_late(weight, good, fails));
      std::printf("\n");
    }
  }
}

}  // namespace

void print_sensitivity() {
  print_failures();
  print_late();
  print_latency();
}

}  // namespace tidegate::judging
