// SPDX-License-Identifier: Apache-2.0
#include "analysis/resolve.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/limits.h"
#include "base/text.h"
#include "metrics/expression.h"
#include "metrics/providers/provider.h"

namespace tidegate::analysis {
namespace {

// A document with metrics and args: the analysis itself, or a template.
struct Part {
  std::string path;  // in front of its fields, in messages
  const Json* spec = nullptr;
};

constexpr std::string_view kCounts[] = {
    "count",      "failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit",
    "minRequests"};

// Kubernetes' form of a path: metadata.labels['a.b/c'].
const Json* field_at(const Json& object, std::string_view path) {
  const Json* at = &object;
  while (at && !path.empty()) {
    std::string key;
    if (path.starts_with("['")) {
      const auto end = path.find("']");
      if (end == std::string_view::npos) return nullptr;
      key = path.substr(2, end - 2);
      path.remove_prefix(end + 2);
    } else {
      const auto end = std::min(path.find_first_of(".["), path.size());
      key = path.substr(0, end);
      path.remove_prefix(end);
    }
    if (path.starts_with('.')) path.remove_prefix(1);
    const auto found = at->is_object() ? at->find(key) : at->end();
    at = at->is_object() && found != at->end() ? &*found : nullptr;
  }
  return at;
}

class Resolving {
 public:
  Resolving(const api::Analysis& analysis, const Templates& templates, const Context& context)
      : analysis_(analysis), templates_(templates), context_(context) {}

  Resolved run() {
    parts_.push_back({analysis_.path, analysis_.json.get()});
    add_templates(analysis_.templates, analysis_.path + ".templates", 1);
    for (const auto& [name, value] : context_.known) out_.args.emplace(name, value);
    std::set<std::string> given;
    for (const auto& part : parts_) add_args(part, given);
    for (const auto& part : parts_) add_metrics(part);
    for (const auto& part : parts_) apply_options(part);
    if (out_.metrics.empty() && out_.problems.empty())
      problem(analysis_.path + ".metrics", "", "at least one metric, or templates with some");
    return std::move(out_);
  }

 private:
  void problem(std::string path, std::string value, std::string expectation) {
    out_.problems.push_back({std::move(path), std::move(value), std::move(expectation)});
  }

  void add_templates(const std::vector<api::TemplateReference>& references, const std::string& path,
                     std::size_t depth) {
    for (const auto& reference : references) {
      const std::string kind = reference.cluster_scope ? "ClusterAnalysisTemplate" : "AnalysisTemplate";
      const auto& from = reference.cluster_scope ? templates_.of_cluster : templates_.of_namespace;
      const std::string name = kind + " " + reference.name;
      if (depth > kMaxTemplateDepth || parts_.size() > kMaxTemplates)
        return problem(path, name, "templates nested less deeply, and fewer of them");
      const auto found = from.find(reference.name);
      if (found == from.end()) {
        problem(path, "\"" + reference.name + "\"", "the name of " + kind + " that exists");
        continue;
      }
      if (!seen_.insert(name).second) continue;
      const Part part{name + " spec", &json::object_at(*found->second, "spec")};
      parts_.push_back(part);
      const api::FieldReader reader(*part.spec, part.path, out_.problems);
      add_templates(api::decode_template_references(reader), part.path + ".templates", depth + 1);
    }
  }

  // What is given where the analysis stands comes before the defaults of templates.
  void add_args(const Part& part, std::set<std::string>& given) {
    const api::FieldReader reader(*part.spec, part.path, out_.problems);
    for (const auto& arg : api::decode_args(reader)) {
      if (given.contains(arg.name)) continue;
      if (arg.secret) {
        secrets_[arg.name] = *arg.secret;
        out_.args.erase(arg.name);
      } else if (const auto value = value_of(arg, part.path)) {
        out_.args[arg.name] = *value;
      } else {
        continue;
      }
      given.insert(arg.name);
    }
  }

  std::optional<std::string> value_of(const api::Arg& arg, const std::string& path) {
    if (arg.value) return arg.value;
    if (arg.pod_template_hash == "Stable") return context_.stable_revision;
    if (arg.pod_template_hash == "Latest") return context_.latest_revision;
    if (arg.field_path.empty()) return std::nullopt;
    const Json* value = context_.object ? field_at(*context_.object, arg.field_path) : nullptr;
    if (!value || value->is_structured()) {
      problem(path + ".args " + arg.name + " fieldPath", "\"" + arg.field_path + "\"",
              "a field that the object has, and that is no object or list");
      return std::nullopt;
    }
    return value->is_string() ? value->get<std::string>() : json::dump(*value);
  }

  void add_metrics(const Part& part) {
    const Json& metrics = json::array_at(*part.spec, "metrics");
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const std::string path = part.path + ".metrics[" + std::to_string(i) + "]";
      if (out_.metrics.size() >= kMaxMetrics)
        return problem(path, "", "at most " + std::to_string(kMaxMetrics) + " metrics in one analysis");
      Json filled = metrics[i];
      const std::size_t before = out_.problems.size();
      used_.clear();
      fill(filled, path, false);
      read_counts(filled);
      const api::FieldReader reader(filled, path, out_.problems);
      auto metric = api::decode_metric(reader);
      for (const auto& name : used_) metric.provider.secrets[name] = secrets_[name];
      if (out_.problems.size() == before) check_metric(metric, path, out_.problems);
      for (const auto& other : out_.metrics) {
        if (other.name == metric.name)
          reader.problem("name", "a name that no other metric of the analysis has");
      }
      out_.metrics.push_back(std::move(metric));
    }
  }

  void fill(Json& value, const std::string& path, bool in_provider) {
    if (value.is_string()) return fill_text(value, path, in_provider);
    if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i)
        fill(value[i], path + "[" + std::to_string(i) + "]", in_provider);
    }
    if (!value.is_object()) return;
    for (auto& [key, item] : value.items()) fill(item, path + "." + key, in_provider || key == "provider");
  }

  void fill_text(Json& value, const std::string& path, bool in_provider) {
    const std::string text = value.get<std::string>();
    std::vector<std::string> missing;
    value = fill_in(text, out_.args, missing);
    for (const auto& name : missing) {
      if (secrets_.contains(name) && in_provider) {
        used_.insert(name);
      } else if (secrets_.contains(name)) {
        problem(path, "{{args." + name + "}}", "no secret here: only a provider may read one");
      } else {
        problem(path, "{{args." + name + "}}", "an arg that has a value; there are " + names());
      }
    }
  }

  std::string names() const {
    std::string out;
    for (const auto& [name, value] : out_.args) out += (out.empty() ? "" : ", ") + name;
    for (const auto& [name, secret] : secrets_) out += (out.empty() ? "" : ", ") + name;
    return out.empty() ? "none" : out;
  }

  // A number that came out of an arg is a text so far.
  static void read_counts(Json& metric) {
    if (!metric.is_object()) return;
    for (const auto key : kCounts) {
      const auto found = metric.find(key);
      if (found == metric.end() || !found->is_string()) continue;
      if (const auto number = text::parse_int(found->get<std::string>())) *found = *number;
    }
  }

  void apply_options(const Part& part) {
    const api::FieldReader reader(*part.spec, part.path, out_.problems);
    api::apply_options(reader, out_.problems.empty(), out_.metrics);
  }

  const api::Analysis& analysis_;
  const Templates& templates_;
  const Context& context_;
  std::vector<Part> parts_;
  std::set<std::string> seen_;
  std::map<std::string, api::SecretKey> secrets_;
  std::set<std::string> used_;  // secrets, by the metric at hand
  Resolved out_;
};

void check_condition(const std::string& path, const std::string& text,
                     std::vector<api::FieldProblem>& problems) {
  if (text.empty()) return;
  const auto parsed = metrics::Expression::parse(text);
  if (parsed) return;
  problems.push_back(
      {path, "\"" + text + "\"", "a condition such as result[0] >= 0.95; " + parsed.error().detail});
}

}  // namespace

std::string fill_in(std::string_view text, const std::map<std::string, std::string>& args,
                    std::vector<std::string>& missing) {
  constexpr std::string_view kPrefix = "args.";
  std::string out;
  while (true) {
    const auto open = text.find("{{");
    const auto close = open == std::string_view::npos ? open : text.find("}}", open);
    if (close == std::string_view::npos) return out.append(text);
    const auto inside = text::trim(text.substr(open + 2, close - open - 2));
    out.append(text.substr(0, open));
    const std::string name(inside.starts_with(kPrefix) ? inside.substr(kPrefix.size()) : "");
    const auto found = args.find(name);
    if (found != args.end()) {
      out += found->second;
    } else {
      out.append(text.substr(open, close + 2 - open));
      if (!name.empty()) missing.push_back(name);
    }
    text.remove_prefix(close + 2);
  }
}

void check_metric(const api::Metric& metric, const std::string& path,
                  std::vector<api::FieldProblem>& problems) {
  check_condition(path + ".successCondition", metric.success_condition, problems);
  check_condition(path + ".failureCondition", metric.failure_condition, problems);
  if (metric.provider.reads_counts() || metric.provider.kind == api::kJobKind) return;
  const auto* provider = metrics::providers::find_provider(metric.provider.kind);
  const std::string at = path + ".provider." + metric.provider.kind;
  if (!provider) {
    problems.push_back({at, "there", "another provider: this one is not supported"});
    return;
  }
  for (const auto& complaint : provider->check(*metric.provider.spec))
    problems.push_back({at + "." + complaint.field, complaint.value, complaint.expectation});
}

Resolved resolve(const api::Analysis& analysis, const Templates& templates, const Context& context) {
  return Resolving(analysis, templates, context).run();
}

}  // namespace tidegate::analysis
