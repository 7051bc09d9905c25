// SPDX-License-Identifier: Apache-2.0
#include "rollout/validate.h"

#include "metrics/expression.h"

namespace tidegate::rollout {
namespace {

void check_condition(const std::string& path, const std::string& text,
                     std::vector<api::FieldProblem>& problems) {
  if (text.empty()) return;
  const auto parsed = metrics::Expression::parse(text);
  if (!parsed)
    problems.push_back(
        {path, "\"" + text + "\"", "a condition such as result[0] >= 0.95; " + parsed.error().detail});
}

void check_analysis(const std::string& path, const api::Analysis& analysis,
                    std::vector<api::FieldProblem>& problems) {
  for (std::size_t i = 0; i < analysis.metrics.size(); ++i) {
    const std::string at = path + ".metrics[" + std::to_string(i) + "]";
    check_condition(at + ".successCondition", analysis.metrics[i].success_condition, problems);
    check_condition(at + ".failureCondition", analysis.metrics[i].failure_condition, problems);
  }
}

}  // namespace

api::Rollout read_rollout(const Json& json) {
  api::Rollout out = api::decode_rollout(json);
  const auto& canary = out.spec.canary;
  const std::string path = "spec.strategy.canary";
  if (canary.analysis) check_analysis(path + ".analysis", *canary.analysis, out.problems);
  for (std::size_t i = 0; i < canary.steps.size(); ++i) {
    if (const auto* step = std::get_if<api::AnalysisStep>(&canary.steps[i])) {
      check_analysis(path + ".steps[" + std::to_string(i) + "].analysis", step->analysis, out.problems);
    }
  }
  return out;
}

}  // namespace tidegate::rollout
