// SPDX-License-Identifier: Apache-2.0
#include "rollout/validate.h"

#include "analysis/resolve.h"

namespace tidegate::rollout {
namespace {

void check_analysis(const std::string& path, const api::Analysis& analysis,
                    std::vector<api::FieldProblem>& problems) {
  for (std::size_t i = 0; i < analysis.metrics.size(); ++i) {
    analysis::check_metric(analysis.metrics[i], path + ".metrics[" + std::to_string(i) + "]", problems);
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
