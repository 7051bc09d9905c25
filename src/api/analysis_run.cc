// SPDX-License-Identifier: Apache-2.0
#include "api/analysis_run.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace tidegate::api {
namespace {

constexpr std::int64_t kLongestKept = 10LL * 365 * 86'400;  // seconds

Counts decode_counts(const Json& from) {
  Counts out;
  out.requests = static_cast<std::uint64_t>(json::int_at(from, "requests"));
  out.failures = static_cast<std::uint64_t>(json::int_at(from, "failures"));
  for (const auto& item : json::array_at(from, "durations")) {
    if (item.is_number_integer()) out.durations.push_back(item.get<std::uint64_t>());
  }
  return out;
}
Json encode_counts(const Counts& from) {
  Json out = {{"requests", from.requests}, {"failures", from.failures}};
  if (!from.durations.empty()) out["durations"] = from.durations;
  return out;
}

// One row a field, so that decoding and encoding can't differ.
template <typename Status, typename Visit>
void visit_numbers(Status& status, Visit visit) {
  visit("count", status.count);
  visit("successful", status.successful);
  visit("failed", status.failed);
  visit("inconclusive", status.inconclusive);
  visit("error", status.error);
  visit("consecutiveError", status.consecutive_error);
  visit("consecutiveSuccess", status.consecutive_success);
  visit("stretches", status.stretches);
}
template <typename Status, typename Visit>
void visit_texts(Status& status, Visit visit) {
  visit("name", status.name);
  visit("phase", status.phase);
  visit("evidence", status.evidence);
  visit("outcome", status.outcome);
  visit("value", status.value);
}
template <typename Status, typename Visit>
void visit_times(Status& status, Visit visit) {
  visit("measuredAt", status.measured_at);
  visit("waitingSince", status.waiting_since);
}

MetricStatus decode_metric_status(const Json& from) {
  MetricStatus out;
  visit_texts(out, [&](const char* key, std::string& field) { field = json::string_at(from, key); });
  visit_numbers(out, [&](const char* key, std::int64_t& field) { field = json::int_at(from, key); });
  visit_times(out, [&](const char* key, std::optional<TimePoint>& field) { field = time_at(from, key); });
  out.dry_run = json::bool_at(from, "dryRun");
  out.log_evidence = json::number_at(from, "logEvidence").value_or(0);
  out.since = decode_mark(from, "since");
  return out;
}
Json encode_metric_status(const MetricStatus& from) {
  Json out = Json::object();
  visit_texts(from, [&](const char* key, const std::string& field) { put(out, key, field); });
  visit_numbers(from, [&](const char* key, std::int64_t field) { put(out, key, field); });
  visit_times(from, [&](const char* key, const auto& field) { put(out, key, field); });
  if (from.dry_run) out["dryRun"] = true;
  if (from.log_evidence != 0) out["logEvidence"] = from.log_evidence;
  if (from.since) out["since"] = encode_mark(*from.since);
  return out;
}

}  // namespace

std::optional<TrafficMark> decode_mark(const Json& from, std::string_view path) {
  const Json* mark = json::find(from, path);
  if (!mark) return std::nullopt;
  return TrafficMark{time_at(*mark, "at").value_or(TimePoint{}),
                     decode_counts(json::object_at(*mark, "stable")),
                     decode_counts(json::object_at(*mark, "canary"))};
}
Json encode_mark(const TrafficMark& mark) {
  return {{"at", text::format_micro_time(mark.at)},
          {"stable", encode_counts(mark.stable)},
          {"canary", encode_counts(mark.canary)}};
}

AnalysisRunStatus decode_run(const Json& from) {
  AnalysisRunStatus out;
  out.name = json::string_at(from, "name");
  out.phase = json::string_at(from, "phase");
  out.step = json::int_at(from, "step", kBackgroundRun);
  out.started_at = time_at(from, "startedAt").value_or(TimePoint{});
  for (const auto& item : json::array_at(from, "metrics")) out.metrics.push_back(decode_metric_status(item));
  return out;
}
Json encode_run(const AnalysisRunStatus& from) {
  Json out = {{"name", from.name}, {"phase", from.phase}, {"metrics", Json::array()}};
  if (from.step != kBackgroundRun) out["step"] = from.step;
  put(out, "startedAt", std::optional(from.started_at));
  for (const auto& metric : from.metrics) out["metrics"].push_back(encode_metric_status(metric));
  return out;
}

bool AnalysisRun::of_rollout() const {
  return std::any_of(meta.owners.begin(), meta.owners.end(),
                     [](const auto& owner) { return owner.kind == "Rollout" && owner.controller; });
}

AnalysisRun decode_analysis_run(const Json& json) {
  AnalysisRun out;
  out.meta = decode_meta(json);
  out.json = std::make_shared<const Json>(json);
  const FieldReader spec(json::object_at(json, "spec"), "spec", out.problems);
  out.analysis = decode_analysis(spec);
  out.terminate = spec.flag("terminate").value_or(false);
  const FieldReader ttl = spec.child("ttlStrategy");
  const auto seconds = [&](std::string_view key) -> std::optional<Duration> {
    const auto number = ttl.integer(key, 0, kLongestKept);
    if (!number) return std::nullopt;
    return std::chrono::seconds(*number);
  };
  const auto always = seconds("secondsAfterCompletion");
  const auto success = seconds("secondsAfterSuccess"), failure = seconds("secondsAfterFailure");
  out.kept_after_success = success ? success : always;
  out.kept_after_failure = failure ? failure : always;
  out.status = decode_run(json::object_at(json, "status"));
  out.completed_at = time_at(json, "status.completedAt");
  return out;
}

}  // namespace tidegate::api
