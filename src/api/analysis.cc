// SPDX-License-Identifier: Apache-2.0
#include "api/analysis.h"

#include <nlohmann/json.hpp>
#include <set>

namespace tidegate::api {
namespace {

constexpr std::int64_t kMaxStep = 1'000'000;
constexpr std::int64_t kMaxRetained = 100;  // an object has to hold them

// Calls visit(item, metric) for the metrics that an item names; "*" names all of them.
template <typename Visit>
void each_named(const FieldReader& reader, std::string_view list, bool strict, std::vector<Metric>& metrics,
                Visit visit) {
  for (const auto& item : reader.items(list)) {
    const std::string name = item.text("metricName");
    bool found = false;
    for (auto& metric : metrics) {
      if (name != "*" && metric.name != name) continue;
      visit(item, metric);
      found = true;
    }
    if (name.empty() || (strict && !found)) item.problem("metricName", "the name of a metric, or \"*\"");
  }
}

void decode_source(const FieldReader& at, Arg& arg) {
  arg.pod_template_hash = at.text("podTemplateHashValue");
  if (!arg.pod_template_hash.empty() && arg.pod_template_hash != "Stable" &&
      arg.pod_template_hash != "Latest") {
    at.problem("podTemplateHashValue", "Stable or Latest");
  }
  arg.field_path = at.child("fieldRef").text("fieldPath");
  if (at.has("secretKeyRef")) {
    const FieldReader secret = at.child("secretKeyRef");
    arg.secret = SecretKey{secret.text("name"), secret.text("key")};
    if (arg.secret->name.empty()) secret.problem("name", "the name of a Secret");
    if (arg.secret->key.empty()) secret.problem("key", "a key of that Secret");
  }
}

bool is_templated(const FieldReader& reader) {
  if (reader.has("templates")) return true;
  const Json* metrics = reader.raw("metrics");
  return metrics && json::dump(*metrics).find("{{") != std::string::npos;
}

}  // namespace

std::vector<TemplateReference> decode_template_references(const FieldReader& reader) {
  std::vector<TemplateReference> out;
  for (const auto& item : reader.items("templates")) {
    out.push_back({item.text("templateName"), item.flag("clusterScope").value_or(false)});
    if (out.back().name.empty()) item.problem("templateName", "the name of a template");
  }
  return out;
}

std::vector<Arg> decode_args(const FieldReader& reader) {
  std::vector<Arg> out;
  std::set<std::string> names;
  for (const auto& item : reader.items("args")) {
    Arg arg;
    arg.name = item.text("name");
    if (arg.name.empty() || !names.insert(arg.name).second) item.problem("name", "a name, once");
    if (item.has("value")) arg.value = item.text("value");
    if (item.has("valueFrom")) decode_source(item.child("valueFrom"), arg);
    const int sources = int(arg.value.has_value()) + int(!arg.pod_template_hash.empty()) +
                        int(!arg.field_path.empty()) + int(arg.secret.has_value());
    if (sources > 1 || (item.has("valueFrom") && sources == 0)) {
      item.problem("valueFrom", "one of value, podTemplateHashValue, fieldRef and secretKeyRef");
    }
    out.push_back(std::move(arg));
  }
  return out;
}

void apply_options(const FieldReader& reader, bool strict, std::vector<Metric>& metrics) {
  each_named(reader, "dryRun", strict, metrics,
             [](const FieldReader&, Metric& metric) { metric.dry_run = true; });
  each_named(reader, "measurementRetention", strict, metrics, [](const FieldReader& item, Metric& metric) {
    metric.retained = item.integer("limit", 1, kMaxRetained).value_or(metric.retained);
  });
}

Analysis decode_analysis(const FieldReader& reader) {
  Analysis out;
  out.path = reader.path();
  out.json = std::make_shared<const Json>(reader.document());
  out.starting_step = reader.integer("startingStep", 0, kMaxStep).value_or(0);
  out.templates = decode_template_references(reader);
  out.args = decode_args(reader);
  out.templated = is_templated(reader);
  if (out.templated) return out;
  std::set<std::string> names;
  for (const auto& item : reader.items("metrics")) {
    out.metrics.push_back(decode_metric(item));
    if (!names.insert(out.metrics.back().name).second)
      item.problem("name", "a name that no other metric has");
  }
  if (out.metrics.empty()) reader.problem("metrics", "at least one metric, or templates");
  apply_options(reader, true, out.metrics);
  return out;
}

}  // namespace tidegate::api
