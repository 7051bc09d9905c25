// SPDX-License-Identifier: Apache-2.0
// From an analysis as written to the metrics that are measured: its own and those of its templates, args
// filled in. Args out of Secrets stay {{args.NAME}} until the moment of a measurement, so that no value of
// one is ever stored or shown. Thread: none; pure; total: what can't be resolved is a problem that names
// template, metric and arg.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/analysis.h"

namespace tidegate::analysis {

// Templates as they were read, by name.
struct Templates {
  std::map<std::string, std::shared_ptr<const Json>> of_namespace, of_cluster;
};

// Whom the analysis belongs to.
struct Context {
  const Json* object = nullptr;  // the Rollout or AnalysisRun: fieldRef reads it
  std::string stable_revision, latest_revision;
  std::map<std::string, std::string> known;  // args that need not be given: namespace, canary-hash, ...
};

struct Resolved {
  std::vector<api::Metric> metrics;
  std::map<std::string, std::string> args;  // without secrets
  std::vector<api::FieldProblem> problems;
};
Resolved resolve(const api::Analysis& analysis, const Templates& templates, const Context& context);

// What decoding can't see: conditions that don't parse, providers that don't know a field.
void check_metric(const api::Metric& metric, const std::string& path,
                  std::vector<api::FieldProblem>& problems);

// `text` with {{args.NAME}} replaced; the names that have no value are added to `missing` and stay.
std::string fill_in(std::string_view text, const std::map<std::string, std::string>& args,
                    std::vector<std::string>& missing);

}  // namespace tidegate::analysis
