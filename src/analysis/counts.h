// SPDX-License-Identifier: Apache-2.0
// The data plane's counts of the two sides of a rollout, and windows of them. Thread: none; pure.
#pragma once

#include <optional>
#include <string>

#include "api/analysis_run.h"
#include "metrics/traffic.h"

namespace tidegate::analysis {

struct Traffic {
  bool known = false;  // whether there are proxies of ours
  metrics::BackendTraffic stable, canary;
};

// `durations`: also per bucket, which a latency needs.
api::TrafficMark mark(const Traffic& traffic, TimePoint now, bool durations);
// What came since the mark; nothing without one.
metrics::BackendTraffic canary_since(const Traffic& traffic, const std::optional<api::TrafficMark>& mark);
metrics::BackendTraffic stable_since(const Traffic& traffic, const std::optional<api::TrafficMark>& mark);

std::string count_of(std::int64_t number, std::string_view noun);  // "1 pod", "3 pods"
std::string figures(const metrics::BackendTraffic& traffic);       // "142 requests, 3 failed"

}  // namespace tidegate::analysis
