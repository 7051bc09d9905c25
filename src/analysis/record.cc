// SPDX-License-Identifier: Apache-2.0
#include "analysis/record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace tidegate::analysis {
namespace {

Json measurements_before(const Json& before, const std::string& metric) {
  for (const auto& item : json::array_at(before, "metrics")) {
    if (json::string_at(item, "name") == metric) return json::array_at(item, "measurements");
  }
  return Json::array();
}

Json measurements(const api::MetricStatus& status, Json before, std::int64_t retained) {
  if (status.measured_at && !status.outcome.empty()) {
    const std::string at = text::format_micro_time(*status.measured_at);
    if (before.empty() || json::string_at(before.back(), "at") < at) {
      Json added = {{"at", at}, {"outcome", status.outcome}, {"evidence", status.evidence}};
      api::put(added, "value", status.value);
      before.push_back(std::move(added));
    }
  }
  while (before.size() > static_cast<std::size_t>(retained)) before.erase(before.begin());
  return before;
}

std::int64_t retained_of(const std::vector<api::Metric>& metrics, const std::string& name) {
  for (const auto& metric : metrics) {
    if (metric.name == name) return metric.retained;
  }
  return api::Metric{}.retained;
}

}  // namespace

bool is_over(const std::string& phase) {
  return phase == kEnded || phase_of(phase) != metrics::Phase::kRunning;
}

std::string message_of(const api::AnalysisRunStatus& run) {
  for (const auto& metric : run.metrics) {
    if (metric.phase == run.phase && !metric.dry_run && !metric.evidence.empty())
      return "metric " + metric.name + ": " + metric.evidence;
  }
  return "";
}

Json run_status(const api::AnalysisRunStatus& run, const std::vector<api::Metric>& metrics,
                std::string message, const Json& before, TimePoint now) {
  Json out = api::encode_run(run);
  std::int64_t passed = 0, failed = 0;
  for (std::size_t i = 0; i < run.metrics.size(); ++i) {
    const auto& metric = run.metrics[i];
    passed += metric.successful;
    failed += metric.failed;
    auto kept =
        measurements(metric, measurements_before(before, metric.name), retained_of(metrics, metric.name));
    if (!kept.empty()) out["metrics"][i]["measurements"] = std::move(kept);
  }
  out["summary"] = std::to_string(passed) + " passed, " + std::to_string(failed) + " failed";
  api::put(out, "message", message);
  if (is_over(run.phase)) {
    const auto completed = api::time_at(before, "completedAt");
    api::put(out, "completedAt", completed ? completed : std::optional(now));
  }
  return out;
}

Json run_spec(const std::vector<api::Metric>& metrics) {
  Json out = {{"metrics", Json::array()}};
  std::map<std::string, api::SecretKey> secrets;
  for (const auto& metric : metrics) {
    if (metric.json) out["metrics"].push_back(*metric.json);
    for (const auto& [name, secret] : metric.provider.secrets) secrets[name] = secret;
    if (metric.dry_run) out["dryRun"].push_back({{"metricName", metric.name}});
  }
  for (const auto& [name, secret] : secrets) {
    out["args"].push_back(
        {{"name", name}, {"valueFrom", {{"secretKeyRef", {{"name", secret.name}, {"key", secret.key}}}}}});
  }
  return out;
}

}  // namespace tidegate::analysis
