// SPDX-License-Identifier: Apache-2.0
// A metric as written by people: where its value comes from and what it must satisfy. How it is judged:
// metrics/judge.h; how it is measured: analysis/run.h. Thread: none; plain values.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

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

inline constexpr const char* kGatewayKind = "gateway";
inline constexpr const char* kJobKind = "job";

struct SecretKey {
  std::string name, key;  // a Secret of the same namespace, and one of its keys
};

struct Provider {
  std::string kind = kGatewayKind;   // the key under provider: gateway, prometheus, web, job, ...
  GatewayProvider gateway;           // where that is the kind
  std::shared_ptr<const Json> spec;  // of any other kind, as written
  // Args that come out of Secrets stay {{args.NAME}} in the spec until it is measured.
  std::map<std::string, SecretKey> secrets;
  bool reads_counts() const { return kind == kGatewayKind; }
};

struct Threshold {
  std::optional<double> min, max;
};
struct Compare {
  double worse_by = 0;    // tolerated, as a ratio: 0.01 lets the canary fail 1 % more often than stable
  double min_effect = 0;  // a smaller difference is no reason to abort: of failure rates, or in seconds
  double confidence = 0.99;
};

struct Metric {
  std::string name;
  Duration interval{10'000};
  Duration initial_delay{0};
  std::optional<std::int64_t> count;  // absent: one in a step, without end in the background
  std::int64_t failure_limit = 0;     // -1: off
  std::int64_t inconclusive_limit = 0, consecutive_error_limit = 4;
  std::int64_t consecutive_success_limit = 0;  // 0: off
  std::int64_t min_requests = 0;
  NoData no_data = NoData::kWait;
  OnFailure on_failure = OnFailure::kAbort;
  Provider provider;
  std::string success_condition, failure_condition;
  std::optional<Threshold> threshold;
  std::optional<Compare> compare;
  bool dry_run = false;              // judged and shown, never decides
  std::shared_ptr<const Json> json;  // as written, args filled in
  std::int64_t retained = 10;        // measurements that an AnalysisRun keeps
};

Metric decode_metric(const FieldReader& reader);

}  // namespace tidegate::api
