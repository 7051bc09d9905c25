// SPDX-License-Identifier: Apache-2.0
#include "metrics/compare.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "metrics/gateway_provider.h"
#include "metrics/sequential.h"

namespace tidegate::metrics {
namespace {

// One failed or slow request is an anecdote: at a share of 0.1 % it would be evidence enough.
constexpr double kFewest = 2;
// What the first stretch does not stake. Later ones share it, so that they begin with more than what a long
// good stretch has left: a canary may turn bad with its weight.
constexpr double kReserve = 0.25;
constexpr double kNear = 3;  // stable's odds of being slower than a bound, to the odds beyond the quantile
constexpr double kNineInTen = 1.2816;  // standard deviations: the tenth percentile of a normal distribution
constexpr double kMostTolerated = 1e6;
constexpr int kBisections = 40;
constexpr std::int64_t kMostStretches = 1'000'000'000;  // one a second for thirty years

double log_sum(double a, double b) {
  const double larger = std::max(a, b);
  return std::isinf(larger) ? larger : larger + std::log1p(std::exp(std::min(a, b) - larger));
}

double log_needed(const CompareOptions& options) {
  const double share = options.alpha_share > 0 ? std::min(options.alpha_share, 1.0) : 1;
  return log_evidence_needed(options.confidence) - std::log(share);
}

double quantile_of(const CompareOptions& options) {
  return std::isnan(options.quantile) ? 0.99 : std::clamp(options.quantile, 0.001, 0.9999);
}

// 1 + worse_by.
double tolerated(const CompareOptions& options) {
  return options.worse_by > 0 ? 1 + std::min(options.worse_by, kMostTolerated) : 1;
}

std::uint64_t timed(const BackendTraffic& traffic) {
  std::uint64_t sum = 0;
  for (const auto count : traffic.duration_counts) sum += count;
  return sum;
}

// Requests that took longer than kDurationBounds[bound].
std::uint64_t slower(const BackendTraffic& traffic, std::size_t bound) {
  std::uint64_t sum = 0;
  for (std::size_t i = bound + 1; i < traffic.duration_counts.size(); ++i) sum += traffic.duration_counts[i];
  return sum;
}

// Requests that took longer than kDurationBounds[bound] / factor. Within a bucket the tail falls by a power
// of the duration, as the tails of durations about do; the half keeps an empty tail from falling at once.
double slower_than_part(const BackendTraffic& traffic, std::size_t bound, double factor) {
  const double limit = kDurationBounds[bound] / factor;
  while (bound > 0 && kDurationBounds[bound - 1] >= limit) --bound;
  const auto beyond = static_cast<double>(slower(traffic, bound));
  if (limit >= kDurationBounds[bound]) return beyond;
  const auto within = static_cast<double>(traffic.duration_counts[bound]);
  if (bound == 0) return beyond + within * (1 - limit / kDurationBounds[0]);
  const double part = std::log(kDurationBounds[bound] / limit) /
                      std::log(kDurationBounds[bound] / kDurationBounds[bound - 1]);
  const double tail = (beyond + 0.5) * std::pow((beyond + within + 0.5) / (beyond + 0.5), part);
  return std::clamp(tail, beyond, beyond + within);
}

// Evidence that more of the canary's requests than of stable's are slower than one bound.
double log_evidence_at(const CompareOptions& options, std::size_t bound, const BackendTraffic& stable,
                       const BackendTraffic& canary) {
  const auto of_stable = static_cast<double>(timed(stable)), of_canary = static_cast<double>(timed(canary));
  const double slow_stable = slower_than_part(stable, bound, tolerated(options));
  const auto slow_canary = static_cast<double>(slower(canary, bound));
  const double evidence = log_evidence(of_stable, slow_stable, of_canary, slow_canary, 0);
  // Only bounds near the quantile may raise an alarm: stable has few slower requests, the canary enough.
  const double level = 1 - quantile_of(options);
  const bool near = slow_stable * (1 - level) <= kNear * level * (of_stable - slow_stable) &&
                    slow_canary >= std::max(kFewest, level * of_canary);
  return near ? evidence : std::min(evidence, 0.0);
}

// The mean over the bounds: which one will tell is not known beforehand.
double log_latency_evidence(const CompareOptions& options, const BackendTraffic& stable,
                            const BackendTraffic& canary) {
  double sum = -std::numeric_limits<double>::infinity();
  for (std::size_t bound = 0; bound < kDurationBounds.size(); ++bound)
    sum = log_sum(sum, log_evidence_at(options, bound, stable, canary));
  return sum - std::log(kDurationBounds.size());
}

double stretch_evidence(const CompareOptions& options, const BackendTraffic& stable,
                        const BackendTraffic& canary) {
  switch (options.what) {
    case Compared::kFailures:
      return log_evidence({stable.requests, stable.failures, canary.requests, canary.failures},
                          options.worse_by);
    case Compared::kLatency:
      return log_latency_evidence(options, stable, canary);
  }
  return 0;
}

// The stakes: 1 - kReserve on the first stretch; stretch m+1 adds kReserve (1/m - 1/(m+1)).
double log_staked(const Earlier& earlier) {
  if (earlier.stretches <= 0) return std::log1p(-kReserve);
  const auto finished = static_cast<double>(earlier.stretches);
  const double carried = std::isnan(earlier.log_evidence) ? 0 : std::clamp(earlier.log_evidence, -1e6, 1e6);
  return log_sum(carried, std::log(kReserve / finished / (finished + 1)));
}

double log_total(const CompareOptions& options, const Earlier& earlier, const BackendTraffic& stable,
                 const BackendTraffic& canary) {
  const double unstaked = kReserve / (static_cast<double>(std::max<std::int64_t>(0, earlier.stretches)) + 1);
  return log_sum(log_staked(earlier) + stretch_evidence(options, stable, canary), std::log(unstaked));
}

double failure_rate(const BackendTraffic& traffic) {
  if (traffic.requests == 0) return 0;
  return static_cast<double>(std::min(traffic.failures, traffic.requests)) /
         static_cast<double>(traffic.requests);
}

double estimate(const CompareOptions& options, const BackendTraffic& traffic) {
  if (options.what == Compared::kFailures) return failure_rate(traffic);
  return timed(traffic) == 0 ? 0 : latency_quantile(traffic, quantile_of(options));
}

// Asked before the evidence: it costs less.
bool large_enough(const CompareOptions& options, const Earlier& earlier, const BackendTraffic& stable,
                  const BackendTraffic& canary) {
  if (options.what == Compared::kFailures && static_cast<double>(canary.failures) < kFewest &&
      !(earlier.log_evidence > 0))
    return false;
  const double of_stable = estimate(options, stable), of_canary = estimate(options, canary);
  return of_canary >= of_stable * tolerated(options) &&
         !(of_canary - of_stable < (options.min_effect > 0 ? options.min_effect : 0));
}

Side side_of(const CompareOptions& options, const BackendTraffic& traffic) {
  Side out;
  out.estimate = estimate(options, traffic);
  const double needed = log_needed(options);
  if (options.what == Compared::kFailures) {
    out.samples = traffic.requests;
    const Bounds bounds = rate_bounds(traffic.failures, traffic.requests, std::exp(-needed));
    out.lower = bounds.lower;
    out.upper = bounds.upper;
    return out;
  }
  out.samples = timed(traffic);
  out.upper = std::numeric_limits<double>::infinity();
  const double level = 1 - quantile_of(options), each = needed + std::log(2);
  for (std::size_t i = kDurationBounds.size(); i-- > 0;) {
    const auto beyond = slower(traffic, i);
    if (log_evidence_below(beyond, out.samples, level) >= each) out.upper = kDurationBounds[i];
    if (out.lower == 0 && log_evidence_above(beyond, out.samples, level) >= each)
      out.lower = kDurationBounds[i];
  }
  return out;
}

std::string number(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string percent(double rate) { return number("%.3g", rate * 100) + " %"; }

std::string duration(double seconds) {
  if (std::isinf(seconds)) return "no bound";
  return seconds < 1 ? number("%.3gms", seconds * 1000) : number("%.3gs", seconds);
}

std::string side_text(const CompareOptions& options, const BackendTraffic& traffic, const Side& side) {
  if (side.samples == 0) return "no requests yet";
  if (options.what == Compared::kFailures) {
    return std::to_string(traffic.failures) + " of " + std::to_string(side.samples) + " requests failed (" +
           percent(side.estimate) + ", between " + percent(side.lower) + " and " + percent(side.upper) + ")";
  }
  return "p" + number("%.4g", quantile_of(options) * 100) + " of " + std::to_string(side.samples) +
         " requests " + duration(side.estimate) + " (between " + duration(side.lower) + " and " +
         duration(side.upper) + ")";
}

std::string odds(double log_odds) {
  if (log_odds > std::log(1e6)) return "more than a million to 1";
  return number("%.3g", std::exp(log_odds)) + " to 1";
}

std::string sentence(const CompareOptions& options, const Comparison& seen, const BackendTraffic& stable,
                     const BackendTraffic& canary) {
  std::string text = "canary " + side_text(options, canary, seen.canary) + ", stable " +
                     side_text(options, stable, seen.stable) + ": " + odds(seen.log_evidence) +
                     " that the canary " +
                     (options.what == Compared::kFailures ? "fails more often" : "is slower") + ", " +
                     odds(seen.log_needed) + " asked";
  if (seen.worse) return text;
  if (seen.log_evidence >= seen.log_needed) return text + "; the difference is too small to matter";
  if (seen.would_see) text += "; failing " + percent(*seen.would_see) + " would have been seen";
  return text;
}

}  // namespace

bool is_worse(const CompareOptions& options, const Earlier& earlier, const BackendTraffic& stable,
              const BackendTraffic& canary) {
  return large_enough(options, earlier, stable, canary) &&
         log_total(options, earlier, stable, canary) >= log_needed(options);
}

Comparison compare(const CompareOptions& options, const Earlier& earlier, const BackendTraffic& stable,
                   const BackendTraffic& canary) {
  Comparison out;
  out.log_evidence = log_total(options, earlier, stable, canary);
  out.log_needed = log_needed(options);
  out.worse = out.log_evidence >= out.log_needed && large_enough(options, earlier, stable, canary);
  out.stable = side_of(options, stable);
  out.canary = side_of(options, canary);
  if (options.what == Compared::kFailures) {
    out.would_see = smallest_seen(options, static_cast<double>(stable.requests),
                                  static_cast<double>(stable.failures), static_cast<double>(canary.requests));
  }
  out.text = sentence(options, out, stable, canary);
  return out;
}

Earlier finish_stretch(const CompareOptions& options, const Earlier& earlier, const BackendTraffic& stable,
                       const BackendTraffic& canary) {
  const auto finished = std::clamp<std::int64_t>(earlier.stretches, 0, kMostStretches);
  return {log_staked(earlier) + stretch_evidence(options, stable, canary), finished + 1};
}

std::optional<double> smallest_seen(const CompareOptions& options, double stable_requests,
                                    double stable_failures, double canary_requests) {
  const double needed = log_needed(options) - std::log1p(-kReserve);
  const auto seen = [&](double rate) {
    const double expected = canary_requests * rate;
    const double failures = expected - kNineInTen * std::sqrt(expected * (1 - rate));
    return failures >= kFewest && rate - stable_failures / stable_requests >= options.min_effect &&
           log_evidence(stable_requests, stable_failures, canary_requests, failures, options.worse_by) >=
               needed;
  };
  if (!(stable_requests > 0) || !(canary_requests > 0) || !seen(1)) return std::nullopt;
  double hidden = 0, shown = 1;
  for (int i = 0; i < kBisections; ++i) {
    const double middle = (hidden + shown) / 2;
    (seen(middle) ? shown : hidden) = middle;
  }
  return shown;
}

}  // namespace tidegate::metrics
