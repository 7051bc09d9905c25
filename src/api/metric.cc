// SPDX-License-Identifier: Apache-2.0
#include "api/metric.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace tidegate::api {
namespace {

constexpr std::int64_t kMany = 1'000'000;
constexpr std::size_t kMaxName = 128;  // as in the CRDs
constexpr double kAnyNumber = std::numeric_limits<double>::max();
constexpr double kLongestLatency =
    60;  // seconds; more is taken for milliseconds, which could never be exceeded
constexpr Duration kShortestInterval{1'000};  // the counts are refreshed each second

constexpr std::pair<std::string_view, GatewayMetric> kMetrics[] = {
    {"success-rate", GatewayMetric::kSuccessRate},
    {"latency", GatewayMetric::kLatency},
    {"request-rate", GatewayMetric::kRequestRate},
    {"error-count", GatewayMetric::kErrorCount}};
constexpr std::pair<std::string_view, NoData> kNoData[] = {
    {"wait", NoData::kWait}, {"pause", NoData::kPause}, {"fail", NoData::kFail}, {"pass", NoData::kPass}};
constexpr std::pair<std::string_view, OnFailure> kOnFailure[] = {{"abort", OnFailure::kAbort},
                                                                 {"pause", OnFailure::kPause}};

// What each needs stands in metrics/providers, but for the two that are none of its: the gateway's own
// counts, and jobs.
constexpr std::string_view kProviders[] = {"gateway",  "prometheus", "web",      "job",     "datadog",
                                           "newRelic", "cloudWatch", "graphite", "influxdb"};

template <typename T, std::size_t N>
T one_of(const FieldReader& reader, std::string_view key, const std::pair<std::string_view, T> (&table)[N],
         T fallback) {
  if (!reader.has(key)) return fallback;
  const std::string text = reader.text(key);
  std::string names;
  for (const auto& [name, value] : table) {
    if (name == text) return value;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  reader.problem(key, "one of " + names);
  return fallback;
}

GatewayProvider decode_gateway(const FieldReader& gateway) {
  GatewayProvider out;
  if (!gateway.has("metric")) gateway.problem("metric", "success-rate, latency, request-rate or error-count");
  out.metric = one_of(gateway, "metric", kMetrics, GatewayMetric::kSuccessRate);
  out.quantile = gateway.number("quantile", 0, 1).value_or(0.99);
  if (out.metric != GatewayMetric::kLatency) gateway.refuse("quantile", "no quantile: only latency has one");
  return out;
}

Provider decode_provider(const FieldReader& metric) {
  Provider out;
  const FieldReader reader = metric.child("provider");
  const Json* written = metric.raw("provider");
  if (!written || !written->is_object() || written->size() != 1) {
    metric.problem("provider", "exactly one provider, such as gateway: {metric: success-rate}");
    return out;
  }
  out.kind = written->begin().key();
  out.spec = std::make_shared<const Json>(written->front());
  if (!out.spec->is_object()) reader.problem(out.kind, "an object");
  if (std::find(std::begin(kProviders), std::end(kProviders), out.kind) == std::end(kProviders)) {
    reader.problem(out.kind,
                   "one of gateway, prometheus, web, job, datadog, newRelic, cloudWatch, graphite, influxdb");
  }
  if (out.reads_counts()) out.gateway = decode_gateway(reader.child(kGatewayKind));
  return out;
}

void decode_threshold(const FieldReader& reader, Metric& metric) {
  const FieldReader at = reader.child("threshold");
  const bool counts = metric.provider.reads_counts();
  const auto kind = metric.provider.gateway.metric;
  const double highest = counts && kind == GatewayMetric::kSuccessRate ? 100
                         : counts && kind == GatewayMetric::kLatency   ? kLongestLatency
                                                                       : kAnyNumber;
  const double lowest = counts ? 0 : -kAnyNumber;
  metric.threshold = Threshold{at.number("min", lowest, highest), at.number("max", lowest, highest)};
  if (!at.has("min") && !at.has("max")) at.problem("", "min, max or both");
  if (metric.threshold->min && metric.threshold->max && *metric.threshold->min > *metric.threshold->max) {
    at.problem("", "min not above max");
  }
}

void decode_compare(const FieldReader& reader, Metric& metric) {
  const FieldReader at = reader.child("compare");
  if (at.has("to") && at.text("to") != "stable") at.problem("to", "stable");
  metric.compare =
      Compare{at.percent("worseBy").value_or(0), 0, at.number("confidence", 0.5, 0.999999).value_or(0.99)};
  const auto kind = metric.provider.gateway.metric;
  if (!metric.provider.reads_counts() || kind == GatewayMetric::kRequestRate) {
    reader.problem("compare",
                   "no compare with this metric: the gateway's success-rate, error-count and latency can be "
                   "compared");
  } else if (kind == GatewayMetric::kLatency) {
    const Duration least = at.duration("minEffect").value_or(Duration(0));
    metric.compare->min_effect = std::chrono::duration<double>(least).count();
  } else {
    metric.compare->min_effect = at.percent("minEffect").value_or(0);
  }
}

void decode_criteria(const FieldReader& reader, Metric& metric) {
  metric.success_condition = reader.text("successCondition");
  metric.failure_condition = reader.text("failureCondition");
  if (reader.has("threshold")) decode_threshold(reader, metric);
  if (reader.has("compare")) decode_compare(reader, metric);
  const bool condition = !metric.success_condition.empty() || !metric.failure_condition.empty();
  const int forms = int(condition) + int(metric.threshold.has_value()) + int(metric.compare.has_value());
  if (metric.provider.kind == kJobKind) {
    if (forms > 0) reader.problem("", "no condition: a job passes by ending well");
  } else if (forms == 0) {
    reader.problem("successCondition",
                   "successCondition, failureCondition, threshold or compare: without one nothing is judged");
  } else if (forms > 1) {
    reader.problem("", "one of conditions, threshold and compare, not several");
  }
}

void decode_limits(const FieldReader& reader, Metric& metric) {
  metric.count = reader.integer("count", 1, kMany);
  metric.failure_limit = reader.integer("failureLimit", -1, kMany).value_or(0);
  metric.inconclusive_limit = reader.integer("inconclusiveLimit", 0, kMany).value_or(0);
  metric.consecutive_error_limit = reader.integer("consecutiveErrorLimit", 0, kMany).value_or(4);
  metric.consecutive_success_limit = reader.integer("consecutiveSuccessLimit", 0, kMany).value_or(0);
  if (!metric.count) return;
  if (*metric.count <= metric.failure_limit) {
    reader.problem("failureLimit", "less than count, else no failure could ever fail the analysis");
  }
  if (*metric.count < metric.consecutive_success_limit) {
    reader.problem("consecutiveSuccessLimit", "at most count, else the analysis could never pass");
  }
}

}  // namespace

const char* to_string(GatewayMetric metric) {
  switch (metric) {
    case GatewayMetric::kSuccessRate:
      return "success-rate";
    case GatewayMetric::kLatency:
      return "latency";
    case GatewayMetric::kRequestRate:
      return "request-rate";
    case GatewayMetric::kErrorCount:
      return "error-count";
  }
  return "";
}

Metric decode_metric(const FieldReader& reader) {
  Metric metric;
  metric.json = std::make_shared<const Json>(reader.document());
  metric.name = reader.text("name");
  if (metric.name.empty()) reader.problem("name", "a name");
  if (metric.name.size() > kMaxName)
    reader.problem("name", "at most " + std::to_string(kMaxName) + " characters");
  metric.provider = decode_provider(reader);
  decode_criteria(reader, metric);
  if (metric.compare) metric.interval = kShortestInterval;
  metric.interval = reader.duration("interval").value_or(metric.interval);
  if (metric.interval < kShortestInterval) reader.problem("interval", "at least 1s");
  metric.initial_delay = reader.duration("initialDelay").value_or(Duration(0));
  decode_limits(reader, metric);
  metric.min_requests = reader.integer("minRequests", 0, 1'000'000'000).value_or(0);
  if (!metric.provider.reads_counts())
    reader.refuse("minRequests", "no minRequests: only the provider gateway counts requests");
  metric.no_data = one_of(reader, "noData", kNoData, NoData::kWait);
  metric.on_failure = one_of(reader, "onFailure", kOnFailure, OnFailure::kAbort);
  return metric;
}

}  // namespace tidegate::api
