// SPDX-License-Identifier: Apache-2.0
#include "app/lint.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "analysis/resolve.h"
#include "apiserver/schema/resource_type.h"
#include "apiserver/schema/rules.h"
#include "apiserver/schema/structural.h"
#include "app/embedded_crds.h"
#include "base/assert.h"
#include "base/yaml.h"
#include "rollout/validate.h"

namespace tidegate::app {
namespace {

namespace schema = apiserver::schema;

constexpr int kFound = 1, kUnreadable = 2;
constexpr std::size_t kMaxShown = 120;  // characters of a value

const std::vector<schema::ResourceType>& known_types() {
  static const std::vector<schema::ResourceType> kTypes = [] {
    std::vector<schema::ResourceType> types;
    for (const auto& file : embedded_crds()) {
      const auto documents = yaml::parse_all(file.text);
      TIDEGATE_ASSERT(documents.has_value());
      for (const auto& document : *documents) {
        auto type = schema::decode_crd(document.value);
        TIDEGATE_ASSERT(type.has_value());
        types.push_back(std::move(*type));
      }
    }
    return types;
  }();
  return kTypes;
}

std::string name_of(const Json& object) {
  const std::string ns = json::string_at(object, "metadata.namespace");
  return json::string_at(object, "kind") + " " + (ns.empty() ? "" : ns + "/") +
         json::string_at(object, "metadata.name");
}

// The API server's words without field and value, which stand before them here.
std::string problem_of(const schema::FieldError& error, const Json* value) {
  if (error.reason == "FieldValueRequired" && error.message == "Required value")
    return "missing, expected a value";
  std::string text = error.message;
  for (const std::string& lead : {"Invalid value: " + (value ? json::dump(*value) : "") + ": ",
                                  "Unsupported value: " + (value ? json::dump(*value) : "") + ": ",
                                  std::string("Invalid value: \"object\": "),
                                  std::string("Invalid value: \"array\": "), error.field + " in body "}) {
    if (text.starts_with(lead)) text.erase(0, lead.size());
  }
  return text;
}

// "spec.steps[2].setWeight" as a look-up.
const Json* at_path(const Json& object, std::string_view path) {
  const Json* at = &object;
  while (at && !path.empty()) {
    const bool index = path.starts_with('[');
    const auto end = index ? path.find(']') : path.find_first_of(".[");
    const std::string part(path.substr(index ? 1 : 0, end == path.npos ? end : end - (index ? 1 : 0)));
    path.remove_prefix(std::min(path.size(), end == path.npos ? end : end + (index ? 1 : 0)));
    if (path.starts_with('.')) path.remove_prefix(1);
    const bool digits =
        index && part.find_first_not_of("0123456789") == part.npos && !part.empty() && part.size() < 9;
    if (at->is_array() && digits) {
      const auto place = static_cast<std::size_t>(std::stoul(part));
      at = place < at->size() ? &(*at)[place] : nullptr;
    } else {
      const auto found = at->is_object() ? at->find(part) : at->end();
      at = at->is_object() && found != at->end() ? &*found : nullptr;
    }
  }
  return at;
}

// Whether one of the two is the other, or holds it.
bool same_place(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return b.starts_with(a) && (a.size() == b.size() || b[a.size()] == '.' || b[a.size()] == '[');
}

// What the controller says. Analyses with args are read when the args are known.
std::vector<api::FieldProblem> decoding_problems(const Json& object) {
  const std::string kind = json::string_at(object, "kind");
  if (kind == "Rollout") return rollout::read_rollout(object).problems;
  std::vector<api::FieldProblem> problems;
  if (kind != "AnalysisTemplate" && kind != "ClusterAnalysisTemplate" && kind != "AnalysisRun")
    return problems;
  const api::FieldReader spec(json::object_at(object, "spec"), "spec", problems);
  const api::Analysis analysis = api::decode_analysis(spec);
  for (std::size_t i = 0; i < analysis.metrics.size(); ++i)
    analysis::check_metric(analysis.metrics[i], "spec.metrics[" + std::to_string(i) + "]", problems);
  return problems;
}

class Linter {
 public:
  std::vector<Finding> take() { return std::move(findings_); }

  void read(const Manifest& manifest) {
    const std::string api_version = json::string_at(*manifest.object, "apiVersion");
    const auto slash = api_version.find('/');
    if (slash == api_version.npos) return;
    for (const auto& type : known_types()) {
      if (type.group != api_version.substr(0, slash) ||
          type.kind != json::string_at(*manifest.object, "kind"))
        continue;
      const auto* version = type.version(api_version.substr(slash + 1));
      if (!version) {
        add(manifest, "apiVersion", "\"" + api_version + "\"",
            "expected a version that is served: " + type.versions.front().name);
      } else {
        read(manifest, *version);
      }
    }
  }

 private:
  void read(const Manifest& manifest, const schema::Version& version) {
    const auto first = findings_.size();
    Json object = *manifest.object;
    for (const auto& field : schema::prune(object, version.schema))
      add(manifest, field, shown(at_path(*manifest.object, field)),
          "unknown field, expected one that the schema knows");
    for (const auto& problem : decoding_problems(object))
      add(manifest, problem.path, problem.value,
          (problem.value.empty() ? "missing, expected " : "expected ") + problem.expectation);
    schema::apply_defaults(object, version.schema);
    auto errors = schema::validate(object, version.schema);
    const bool askable = !schema::rules_not_checked(errors);
    if (version.rules && askable) {
      for (auto& error : schema::broken_rules(*version.rules, version.schema, object, nullptr))
        errors.push_back(std::move(error));
    }
    const auto known = findings_.size();
    for (const auto& error : errors) {
      const bool said =
          std::any_of(findings_.begin() + static_cast<std::ptrdiff_t>(first),
                      findings_.begin() + static_cast<std::ptrdiff_t>(known),
                      [&](const Finding& finding) { return same_place(finding.field, error.field); });
      if (said) continue;
      const Json* value = at_path(object, error.field);
      add(manifest, error.field, shown(value), problem_of(error, value));
    }
  }

  static std::string shown(const Json* value) {
    if (!value || value->is_structured()) return {};
    std::string text = json::dump(*value);
    if (text.size() > kMaxShown) text = text.substr(0, kMaxShown) + "...";
    return text;
  }

  void add(const Manifest& manifest, std::string field, std::string value, std::string problem) {
    findings_.push_back(
        {manifest.source, name_of(*manifest.object), std::move(field), std::move(value), std::move(problem)});
  }

  std::vector<Finding> findings_;
};

Json to_json(const Finding& finding) {
  return {{"source", finding.source},
          {"object", finding.object},
          {"field", finding.field},
          {"value", finding.value},
          {"problem", finding.problem}};
}

}  // namespace

std::string to_string(const Finding& finding) {
  return finding.source + ": " + finding.object + ": " + finding.field +
         (finding.value.empty() ? "" : " is " + finding.value) + ": " + finding.problem;
}

std::vector<Finding> lint(const std::vector<Manifest>& manifests) {
  Linter linter;
  for (const auto& manifest : manifests) linter.read(manifest);
  return linter.take();
}

int run_lint(const std::vector<std::string>& paths, const std::string& output) {
  std::vector<Manifest> manifests;
  for (const auto& path : paths) {
    auto loaded = load_manifests(path);
    if (!loaded) {
      std::cerr << "tidegate lint: " << loaded.error().detail << "\n";
      return loaded.error().code == ErrorCode::kInvalid ? kFound : kUnreadable;
    }
    std::move(loaded->begin(), loaded->end(), std::back_inserter(manifests));
  }
  const auto findings = lint(manifests);
  if (output == "json") {
    Json all = Json::array();
    for (const auto& finding : findings) all.push_back(to_json(finding));
    std::cout << json::dump_pretty(all) << "\n";
  } else {
    for (const auto& finding : findings) std::cout << to_string(finding) << "\n";
    std::cout << findings.size() << (findings.size() == 1 ? " finding in " : " findings in ")
              << manifests.size() << (manifests.size() == 1 ? " object\n" : " objects\n");
  }
  return findings.empty() ? 0 : kFound;
}

}  // namespace tidegate::app
