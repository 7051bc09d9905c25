// SPDX-License-Identifier: Apache-2.0
// What a Rollout asks of its metrics, as written by people. How it is judged: metrics/judge.h. Thread: none;
// plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/field_reader.h"
#include "base/clock.h"

namespace tidegate::api {

enum class GatewayMetric { kSuccessRate, kLatency, kRequestRate, kErrorCount };
enum class NoData { kWait, kPause, kFail, kPass };
enum class OnFailure { kAbort, kPause };

const char* to_string(GatewayMetric metric);

struct GatewayProvider {
  GatewayMetric metric = GatewayMetric::kSuccessRate;
  double quantile = 0.99;  // of latency
};
struct Threshold {
  std::optional<double> min, max;
};
struct Compare {
  double worse_by = 0;  // tolerated, as a ratio: 0.01 lets the canary fail 1 % more often than stable
  double confidence = 0.99;
};

struct Metric {
  std::string name;
  Duration interval{10'000};
  Duration initial_delay{0};
  std::optional<std::int64_t> count;  // absent: one in a step, without end in the background
  std::int64_t failure_limit = 0, inconclusive_limit = 0, consecutive_error_limit = 4;
  std::int64_t min_requests = 0;
  NoData no_data = NoData::kWait;
  OnFailure on_failure = OnFailure::kAbort;
  GatewayProvider provider;
  std::string success_condition, failure_condition;
  std::optional<Threshold> threshold;
  std::optional<Compare> compare;
};

struct Analysis {
  std::vector<Metric> metrics;
  std::int64_t starting_step = 0;
};

Analysis decode_analysis(const FieldReader& reader);

}  // namespace tidegate::api
