// SPDX-License-Identifier: Apache-2.0
// A sequential test of canary against stable: may be looked at after every request and still keeps its rate
// of false alarms.
//
// Given that a request failed, it was the canary's with probability r, the canary's share of requests, if
// both fail equally often; with probability s = r(1+d) / (r(1+d) + 1-r) if the canary fails more often by the
// tolerated factor 1+d. Of n failures k were the canary's. A mixture of "more often than tolerated", the
// uniform prior cut to (s, 1], is weighed against s itself:
//   E = integral over (s,1] of p^k (1-p)^(n-k) dp / (1-s)  /  (s^k (1-s)^(n-k))
// E is a test martingale at the boundary and less below it, so that P(E ever reaches 1/alpha) <= alpha for a
// canary within the tolerance. (M. Lindon and A. Malek, Anytime-valid inference for multinomial count data,
// NeurIPS 2022.) Failure rates may drift, as long as they drift for both. The share is the one that was seen.
// Where the weight changes, a new stretch begins and the logarithms add up. Thread: none; pure.
#pragma once

#include <cstdint>

namespace tidegate::metrics {

struct Split {
  std::uint64_t stable_requests = 0, stable_failures = 0;
  std::uint64_t canary_requests = 0, canary_failures = 0;
};

// The natural logarithm of E for one stretch of constant weight; 0 where there is nothing to compare.
// `worse_by` is d, not negative.
double log_evidence(const Split& split, double worse_by);

// The logarithm from which on the canary is worse: log(1/alpha) with alpha = 1 - confidence.
double log_evidence_needed(double confidence);

// log of the regularised incomplete beta function I_x(a, b); 0 <= x <= 1, a, b > 0.
double log_incomplete_beta(double a, double b, double x);

}  // namespace tidegate::metrics
