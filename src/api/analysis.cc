// SPDX-License-Identifier: Apache-2.0
#include "api/analysis.h"

#include <nlohmann/json.hpp>
#include <set>

namespace tidegate::api {
namespace {

constexpr std::int64_t kMaxStep = 1'000'000;

// Judged and shown, but never deciding: [{metricName: name}], "*" for all of them.
void mark_dry_runs(const FieldReader& reader, std::vector<Metric>& metrics) {
  for (const auto& item : reader.items("dryRun")) {
    const std::string name = item.text("metricName");
    bool found = false;
    for (auto& metric : metrics) {
      if (name != "*" && metric.name != name) continue;
      metric.dry_run = found = true;
    }
    if (!found) item.problem("metricName", "the name of a metric, or \"*\"");
  }
}

}  // namespace

Analysis decode_analysis(const FieldReader& reader) {
  Analysis out;
  reader.refuse("templates", "metrics: templates are not supported yet");
  reader.refuse("args", "no args: they are not supported yet");
  out.starting_step = reader.integer("startingStep", 0, kMaxStep).value_or(0);
  std::set<std::string> names;
  for (const auto& item : reader.items("metrics")) {
    out.metrics.push_back(decode_metric(item));
    if (!names.insert(out.metrics.back().name).second)
      item.problem("name", "a name that no other metric has");
  }
  if (out.metrics.empty()) reader.problem("metrics", "at least one metric");
  mark_dry_runs(reader, out.metrics);
  return out;
}

}  // namespace tidegate::api
