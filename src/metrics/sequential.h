// SPDX-License-Identifier: Apache-2.0
// The mathematics of sequential tests on counts: may be looked at after every request and still keep their
// rate of false alarms. What a Rollout's `compare` makes of them: metrics/compare.h. Plain words, assumptions
// and measurements: docs/judging.md. Thread: none; pure; total: no input yields a NaN.
//
// Two sides. Given that a request failed, it was the canary's with probability r, the canary's share of
// requests, if both fail equally often; with probability s = r(1+d) / (r(1+d) + 1-r) if the canary fails more
// often by the tolerated factor 1+d. Of n failures k were the canary's. A mixture of "more often than
// tolerated", the uniform prior cut to (s, 1], is weighed against s itself:
//   E = integral over (s,1] of p^k (1-p)^(n-k) dp / (1-s)  /  (s^k (1-s)^(n-k))
// E is a test martingale at s. Below s it is a supermartingale: for each p > s the expected factor of the
// next failure, linear in its probability, is 1 at s. So P(E ever reaches 1/alpha) <= alpha (Ville) for a
// canary within the tolerance, even if the rates drift, as long as they drift for both. (M. Lindon and A.
// Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022.) The share is the one that was
// seen.
//
// One side. The same E with a fixed level in the place of s tests whether a rate lies above it, and mirrored,
// below it. (The beta-binomial mixture: H. Robbins 1970; Howard, Ramdas, McAuliffe, Sekhon 2021.)
#pragma once

#include <cstdint>

namespace tidegate::metrics {

struct Split {
  std::uint64_t stable_requests = 0, stable_failures = 0;
  std::uint64_t canary_requests = 0, canary_failures = 0;
};

// The natural logarithm of E for one stretch of constant weight; 0 where there is nothing to compare. More
// failures than requests count as so many. `worse_by` is d; what is negative or no number counts as 0.
double log_evidence(const Split& split, double worse_by);
// The same for counts that need not be whole: expected ones.
double log_evidence(double stable_requests, double stable_failures, double canary_requests,
                    double canary_failures, double worse_by);

// log E that a rate lies above, or below, `level` (0 < level < 1), of which `hits` in `samples` were seen.
double log_evidence_above(std::uint64_t hits, std::uint64_t samples, double level);
double log_evidence_below(std::uint64_t hits, std::uint64_t samples, double level);

struct Bounds {
  double lower = 0, upper = 1;
};
// A confidence sequence: holds the rate at all times together with probability 1 - alpha.
Bounds rate_bounds(std::uint64_t hits, std::uint64_t samples, double alpha);

// The logarithm from which on the canary is worse: log(1/alpha) with alpha = 1 - confidence.
double log_evidence_needed(double confidence);

// log of the regularised incomplete beta function I_x(a, b); 0 <= x <= 1, a, b > 0.
double log_incomplete_beta(double a, double b, double x);

}  // namespace tidegate::metrics
