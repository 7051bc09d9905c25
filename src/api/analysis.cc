// SPDX-License-Identifier: Apache-2.0
#include "api/analysis.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace tidegate::api {
namespace {

constexpr std::int64_t kMany = 1'000'000;
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

GatewayProvider decode_provider(const FieldReader& reader) {
  GatewayProvider out;
  for (const auto* other :
       {"prometheus", "web", "job", "datadog", "newRelic", "cloudWatch", "graphite", "influxdb"}) {
    reader.refuse(other, "the provider gateway: this one is not supported yet");
  }
  if (!reader.has("gateway")) {
    reader.problem("gateway", "{metric: success-rate | latency | request-rate | error-count}");
    return out;
  }
  const FieldReader gateway = reader.child("gateway");
  if (!gateway.has("metric")) gateway.problem("metric", "success-rate, latency, request-rate or error-count");
  out.metric = one_of(gateway, "metric", kMetrics, GatewayMetric::kSuccessRate);
  out.quantile = gateway.number("quantile", 0, 1).value_or(0.99);
  if (out.metric != GatewayMetric::kLatency) gateway.refuse("quantile", "no quantile: only latency has one");
  return out;
}

void decode_threshold(const FieldReader& reader, Metric& metric) {
  const FieldReader at = reader.child("threshold");
  const double highest = metric.provider.metric == GatewayMetric::kSuccessRate ? 100
                         : metric.provider.metric == GatewayMetric::kLatency   ? kLongestLatency
                                                                               : kAnyNumber;
  metric.threshold = Threshold{at.number("min", 0, highest), at.number("max", 0, highest)};
  if (!at.has("min") && !at.has("max")) at.problem("", "min, max or both");
  if (metric.threshold->min && metric.threshold->max && *metric.threshold->min > *metric.threshold->max) {
    at.problem("", "min not above max");
  }
}

void decode_compare(const FieldReader& reader, Metric& metric) {
  const FieldReader at = reader.child("compare");
  if (at.has("to") && at.text("to") != "stable") at.problem("to", "stable");
  metric.compare =
      Compare{at.percent("worseBy").value_or(0), at.number("confidence", 0.5, 0.999999).value_or(0.99)};
  const auto kind = metric.provider.metric;
  if (kind != GatewayMetric::kSuccessRate && kind != GatewayMetric::kErrorCount) {
    reader.problem("compare", "no compare with this metric: success-rate and error-count can be compared");
  }
}

void decode_criteria(const FieldReader& reader, Metric& metric) {
  metric.success_condition = reader.text("successCondition");
  metric.failure_condition = reader.text("failureCondition");
  if (reader.has("threshold")) decode_threshold(reader, metric);
  if (reader.has("compare")) decode_compare(reader, metric);
  const bool condition = !metric.success_condition.empty() || !metric.failure_condition.empty();
  const int forms = int(condition) + int(metric.threshold.has_value()) + int(metric.compare.has_value());
  if (forms == 0) {
    reader.problem("successCondition",
                   "successCondition, failureCondition, threshold or compare: without one nothing is judged");
  } else if (forms > 1) {
    reader.problem("", "one of conditions, threshold and compare, not several");
  }
}

Metric decode_metric(const FieldReader& reader) {
  Metric metric;
  metric.name = reader.text("name");
  if (metric.name.empty()) reader.problem("name", "a name");
  metric.provider = decode_provider(reader.child("provider"));
  decode_criteria(reader, metric);
  if (metric.compare) metric.interval = kShortestInterval;
  metric.interval = reader.duration("interval").value_or(metric.interval);
  if (metric.interval < kShortestInterval) reader.problem("interval", "at least 1s");
  metric.initial_delay = reader.duration("initialDelay").value_or(Duration(0));
  metric.count = reader.integer("count", 1, kMany);
  metric.failure_limit = reader.integer("failureLimit", 0, kMany).value_or(0);
  metric.inconclusive_limit = reader.integer("inconclusiveLimit", 0, kMany).value_or(0);
  metric.consecutive_error_limit = reader.integer("consecutiveErrorLimit", 0, kMany).value_or(4);
  metric.min_requests = reader.integer("minRequests", 0, 1'000'000'000).value_or(0);
  metric.no_data = one_of(reader, "noData", kNoData, NoData::kWait);
  metric.on_failure = one_of(reader, "onFailure", kOnFailure, OnFailure::kAbort);
  reader.refuse("consecutiveSuccessLimit", "no such field: it is not supported yet");
  if (metric.count && *metric.count <= metric.failure_limit) {
    reader.problem("failureLimit", "less than count, else no failure could ever fail the analysis");
  }
  return metric;
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

Analysis decode_analysis(const FieldReader& reader) {
  Analysis out;
  reader.refuse("templates", "metrics: templates are not supported yet");
  reader.refuse("args", "no args: they are not supported yet");
  out.starting_step = reader.integer("startingStep", 0, kMany).value_or(0);
  std::set<std::string> names;
  for (const auto& item : reader.items("metrics")) {
    out.metrics.push_back(decode_metric(item));
    if (!names.insert(out.metrics.back().name).second)
      item.problem("name", "a name that no other metric has");
  }
  if (out.metrics.empty()) reader.problem("metrics", "at least one metric");
  return out;
}

}  // namespace tidegate::api
