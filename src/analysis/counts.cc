// SPDX-License-Identifier: Apache-2.0
#include "analysis/counts.h"

#include <algorithm>

#include "metrics/gateway_provider.h"

namespace tidegate::analysis {
namespace {

api::Counts counts_of(const metrics::BackendTraffic& traffic, bool durations) {
  api::Counts out{traffic.requests, traffic.failures, {}};
  if (durations) out.durations.assign(traffic.duration_counts.begin(), traffic.duration_counts.end());
  return out;
}

metrics::BackendTraffic traffic_of(const api::Counts& counts) {
  metrics::BackendTraffic out;
  out.requests = counts.requests;
  out.failures = counts.failures;
  const std::size_t buckets = std::min(counts.durations.size(), out.duration_counts.size());
  std::copy_n(counts.durations.begin(), buckets, out.duration_counts.begin());
  return out;
}

}  // namespace

api::TrafficMark mark(const Traffic& traffic, TimePoint now, bool durations) {
  return {now, counts_of(traffic.stable, durations), counts_of(traffic.canary, durations)};
}

metrics::BackendTraffic canary_since(const Traffic& traffic, const std::optional<api::TrafficMark>& mark) {
  return mark ? metrics::since(traffic.canary, traffic_of(mark->canary)) : metrics::BackendTraffic{};
}
metrics::BackendTraffic stable_since(const Traffic& traffic, const std::optional<api::TrafficMark>& mark) {
  return mark ? metrics::since(traffic.stable, traffic_of(mark->stable)) : metrics::BackendTraffic{};
}

std::string count_of(std::int64_t number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string figures(const metrics::BackendTraffic& traffic) {
  return count_of(static_cast<std::int64_t>(traffic.requests), "request") + ", " +
         std::to_string(traffic.failures) + " failed";
}

}  // namespace tidegate::analysis
