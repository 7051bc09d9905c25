// SPDX-License-Identifier: Apache-2.0
#include "metrics/gateway_provider.h"

#include <cmath>
#include <limits>

namespace tidegate::metrics {
namespace {
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
}

BackendTraffic since(const BackendTraffic& now, const BackendTraffic& then) {
  if (now.requests < then.requests || now.failures < then.failures) return now;
  BackendTraffic out;
  out.requests = now.requests - then.requests;
  out.failures = now.failures - then.failures;
  for (std::size_t i = 0; i < out.duration_counts.size(); ++i) {
    if (now.duration_counts[i] < then.duration_counts[i]) return now;
    out.duration_counts[i] = now.duration_counts[i] - then.duration_counts[i];
  }
  out.duration_sum_seconds = now.duration_sum_seconds - then.duration_sum_seconds;
  return out;
}

BackendTraffic& operator+=(BackendTraffic& sum, const BackendTraffic& part) {
  sum.requests += part.requests;
  sum.failures += part.failures;
  for (std::size_t i = 0; i < sum.duration_counts.size(); ++i)
    sum.duration_counts[i] += part.duration_counts[i];
  sum.duration_sum_seconds += part.duration_sum_seconds;
  return sum;
}

double success_rate(const BackendTraffic& traffic) {
  if (traffic.requests == 0) return kNan;
  return 1 - static_cast<double>(traffic.failures) / static_cast<double>(traffic.requests);
}

double request_rate(const BackendTraffic& traffic, double seconds) {
  return seconds > 0 ? static_cast<double>(traffic.requests) / seconds : kNan;
}

double latency_quantile(const BackendTraffic& traffic, double quantile) {
  double total = 0;
  for (const auto count : traffic.duration_counts) total += static_cast<double>(count);
  if (total == 0) return kNan;
  const double rank = quantile * total;
  double below = 0;
  for (std::size_t i = 0; i < kDurationBounds.size(); ++i) {
    const double count = static_cast<double>(traffic.duration_counts[i]);
    if (below + count >= rank && count > 0) {
      const double from = i == 0 ? 0 : kDurationBounds[i - 1];
      return from + (kDurationBounds[i] - from) * (rank - below) / count;
    }
    below += count;
  }
  return kDurationBounds.back();
}

}  // namespace tidegate::metrics
