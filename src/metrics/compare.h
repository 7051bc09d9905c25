// SPDX-License-Identifier: Apache-2.0
// `compare`: is the canary worse than stable? A sequential verdict on the data plane's counts that may be
// asked for after every second and is wrong about a good canary with probability 1 - confidence at most, over
// the whole rollout. It is not a proof of health: what it could not have seen, it says
// (Comparison::would_see). docs/judging.md has plain words, sources, assumptions and measurements.
//
// How to call it. Keep an `Earlier` in what survives a crash, {} at the start. While the canary's share of
// requests is constant, call `compare` as often as you like with what both sides served since it is; when
// the weight changes, once the new one is served, `Earlier = finish_stretch(...)` with the same counts, and
// count from zero again. Do the same after kLongestStretch at one weight: what was good for an hour does not
// then excuse for long what turns bad. Thread: none; pure; total: hostile numbers yield a verdict without
// NaN.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "metrics/traffic.h"

namespace tidegate::metrics {

// kFailures: a request of the canary fails more often than one of stable.
// kLatency: the estimate of its quantile is higher, and near that quantile more of its requests are slower
// than a bound of the histogram's buckets, tested as failures are. The promise holds for a canary as
// fast as stable; of one that is slower within the tolerance it holds to a bucket's precision.
enum class Compared { kFailures, kLatency };

struct CompareOptions {
  Compared what = Compared::kFailures;
  double quantile = 0.99;  // of latency
  // Tolerated, relative to stable: 0.01 lets the canary's failure rate, or its latency quantile, be 1 %
  // higher.
  double worse_by = 0;
  // A smaller difference of the two estimates is no reason to abort, however certain: failures as a
  // difference of rates (0.001: one request in a thousand), latency in seconds.
  double min_effect = 0;
  double confidence = 0.99;
  // The part of 1 - confidence that this comparison may spend: with n comparisons in one analysis, 1/n each
  // (Bonferroni), so that the analysis as a whole keeps its confidence.
  double alpha_share = 1;
};

// A shorter one forgets the slow evidence of little traffic, a longer one is slow to see a change.
inline constexpr Duration kLongestStretch = std::chrono::minutes(10);

// What finished stretches have left: two numbers for a status.
struct Earlier {
  double log_evidence = 0;     // natural logarithm, of what was staked so far
  std::int64_t stretches = 0;  // finished
};

struct Side {
  std::uint64_t samples = 0;  // of the current stretch
  // The failure rate, or the latency quantile in seconds (interpolated within its bucket); 0 without samples.
  double estimate = 0;
  // Hold the true value with the confidence asked for, at all times together. Latency: bounds of buckets;
  // infinite beyond the last.
  double lower = 0, upper = 1;
};

struct Comparison {
  bool worse = false;
  double log_evidence = 0, log_needed = 0;  // natural logarithms
  Side stable, canary;
  // The smallest failure rate of the canary that this stretch would have shown with odds of nine in ten;
  // absent: not even one of 100 %, or not known (latency).
  std::optional<double> would_see;
  std::string text;  // a sentence with the figures that decided
};
Comparison compare(const CompareOptions& options, const Earlier& earlier, const BackendTraffic& stable,
                   const BackendTraffic& canary);

// Comparison::worse alone, for little.
bool is_worse(const CompareOptions& options, const Earlier& earlier, const BackendTraffic& stable,
              const BackendTraffic& canary);

// With the counts of the stretch that ends.
Earlier finish_stretch(const CompareOptions& options, const Earlier& earlier, const BackendTraffic& stable,
                       const BackendTraffic& canary);

// Comparison::would_see for traffic yet to come: how bad must a canary be to be seen?
std::optional<double> smallest_seen(const CompareOptions& options, double stable_requests,
                                    double stable_failures, double canary_requests);

}  // namespace tidegate::metrics
