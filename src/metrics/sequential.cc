// SPDX-License-Identifier: Apache-2.0
#include "metrics/sequential.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tidegate::metrics {
namespace {

constexpr int kMaxTerms = 100'000;  // the fraction needs about sqrt(max(a, b)); this serves 10^9 failures
constexpr double kPrecision = 1e-14;
constexpr double kTiny = 1e-300;

double log_beta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

double away_from_zero(double value) { return std::abs(value) < kTiny ? kTiny : value; }

// The continued fraction of I_x(a, b) by Lentz's method; converges fast for x < (a+1)/(a+b+2). DLMF 8.17.22.
double fraction(double a, double b, double x) {
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double product = d;
  for (int m = 1; m <= kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    product *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    const double change = c * d;
    product *= change;
    if (std::abs(change - 1) < kPrecision) break;
  }
  return product;
}

double log_small_side(double a, double b, double x) {
  return a * std::log(x) + b * std::log1p(-x) - log_beta(a, b) - std::log(a) + std::log(fraction(a, b, x));
}

}  // namespace

double log_incomplete_beta(double a, double b, double x) {
  if (x <= 0) return -std::numeric_limits<double>::infinity();
  if (x >= 1) return 0;
  if (x < (a + 1) / (a + b + 2)) return std::min(0.0, log_small_side(a, b, x));
  const double other = std::min(0.0, log_small_side(b, a, 1 - x));
  return std::log1p(-std::exp(other));
}

double log_evidence(const Split& split, double worse_by) {
  const double requests =
      static_cast<double>(split.stable_requests) + static_cast<double>(split.canary_requests);
  const double failures =
      static_cast<double>(split.stable_failures) + static_cast<double>(split.canary_failures);
  if (split.stable_requests == 0 || split.canary_requests == 0 || failures == 0) return 0;
  const double share = static_cast<double>(split.canary_requests) / requests;
  const double at = share * (1 + worse_by) / (share * (1 + worse_by) + 1 - share);
  const double of_canary = static_cast<double>(split.canary_failures);
  const double of_stable = failures - of_canary;
  const double a = of_canary + 1, b = of_stable + 1;
  const double tail = log_incomplete_beta(b, a, 1 - at);  // the mass above `at`
  return log_beta(a, b) + tail - std::log1p(-at) - of_canary * std::log(at) - of_stable * std::log1p(-at);
}

double log_evidence_needed(double confidence) { return -std::log1p(-confidence); }

}  // namespace tidegate::metrics
