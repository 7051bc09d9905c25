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
constexpr double kMostCounted = 1e9;    // beyond, counts are scaled down: evidence is lost, never made
constexpr double kMostTolerated = 1e6;  // a million times as often
constexpr double kMostConfident = 1 - 1e-12;
constexpr int kBisections = 50;

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

double times_log(double factor, double of) { return factor == 0 ? 0 : factor * std::log(of); }

double log_small_side(double a, double b, double x) {
  return a * std::log(x) + b * std::log1p(-x) - log_beta(a, b) - std::log(a) + std::log(fraction(a, b, x));
}

// log E of `hits` and `misses` against s = odds / (1 + odds). The logarithms of s and 1-s come from the odds:
// a share next to 0 or 1 loses nothing.
double log_mixture(double hits, double misses, double odds) {
  if (hits + misses <= 0) return 0;
  const double scale = std::min(1.0, kMostCounted / (hits + misses));
  hits *= scale;
  misses *= scale;
  const double log_at = -std::log1p(1 / odds);
  const double log_rest = -std::log1p(odds);
  const double tail = log_incomplete_beta(misses + 1, hits + 1, 1 / (1 + odds));  // the mass above s
  return log_beta(hits + 1, misses + 1) + tail - log_rest - hits * log_at - misses * log_rest;
}

}  // namespace

double log_incomplete_beta(double a, double b, double x) {
  if (x <= 0) return -std::numeric_limits<double>::infinity();
  if (x >= 1) return 0;
  if (x < (a + 1) / (a + b + 2)) return std::min(0.0, log_small_side(a, b, x));
  const double other = std::min(0.0, log_small_side(b, a, 1 - x));
  return std::log1p(-std::exp(other));
}

double log_evidence(double stable_requests, double stable_failures, double canary_requests,
                    double canary_failures, double worse_by) {
  if (!(stable_requests > 0) || !(canary_requests > 0)) return 0;
  const double tolerated = worse_by > 0 ? std::min(worse_by, kMostTolerated) : 0;
  const double of_stable = std::clamp(stable_failures, 0.0, stable_requests);
  const double of_canary = std::clamp(canary_failures, 0.0, canary_requests);
  return log_mixture(of_canary, of_stable, canary_requests * (1 + tolerated) / stable_requests);
}

double log_evidence(const Split& split, double worse_by) {
  return log_evidence(static_cast<double>(split.stable_requests), static_cast<double>(split.stable_failures),
                      static_cast<double>(split.canary_requests), static_cast<double>(split.canary_failures),
                      worse_by);
}

double log_evidence_above(std::uint64_t hits, std::uint64_t samples, double level) {
  const auto hit = static_cast<double>(std::min(hits, samples));
  return log_mixture(hit, static_cast<double>(samples) - hit, level / (1 - level));
}

double log_evidence_below(std::uint64_t hits, std::uint64_t samples, double level) {
  const auto hit = static_cast<double>(std::min(hits, samples));
  return log_mixture(static_cast<double>(samples) - hit, hit, (1 - level) / level);
}

Bounds rate_bounds(std::uint64_t hits, std::uint64_t samples, double alpha) {
  if (samples == 0) return {};
  const auto hit = static_cast<double>(std::min(hits, samples));
  const double miss = static_cast<double>(samples) - hit;
  const double needed = -std::log(alpha);
  const double mixture = log_beta(hit + 1, miss + 1);
  const auto excluded = [&](double rate) {
    return mixture - times_log(hit, rate) - times_log(miss, 1 - rate) >= needed;
  };
  const double estimate = hit / (hit + miss);
  // The evidence against a rate grows with its distance from the estimate: bisect outwards.
  const auto border = [&](double outside) {
    if (!excluded(outside)) return outside;
    double inside = estimate;
    for (int i = 0; i < kBisections; ++i) {
      const double middle = (inside + outside) / 2;
      (excluded(middle) ? outside : inside) = middle;
    }
    return outside;  // the wider side
  };
  return {border(0), border(1)};
}

double log_evidence_needed(double confidence) {
  return -std::log1p(-std::clamp(std::isnan(confidence) ? 1 : confidence, 0.0, kMostConfident));
}

}  // namespace tidegate::metrics
