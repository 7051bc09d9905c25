// SPDX-License-Identifier: Apache-2.0
#include "rollout/validate.h"

#include "analysis/resolve.h"
#include "rollout/experiment.h"
#include "rollout/limits.h"

namespace tidegate::rollout {
namespace {

constexpr std::size_t kMaxName = 63;  // of a Service, and of a label's value

void check_analysis(const std::string& path, const api::Analysis& analysis,
                    std::vector<api::FieldProblem>& problems) {
  for (std::size_t i = 0; i < analysis.metrics.size(); ++i) {
    analysis::check_metric(analysis.metrics[i], path + ".metrics[" + std::to_string(i) + "]", problems);
  }
}

// A Service's name has 63 characters at most, of which the Rollout's and the revision's take their part.
void check_names(const std::string& path, const api::Experiment& experiment, std::size_t step,
                 api::Rollout& out) {
  for (std::size_t i = 0; i < experiment.templates.size(); ++i) {
    const std::string& name = experiment.templates[i].name;
    const auto room = static_cast<std::int64_t>(kMaxName) -
                      std::ssize(experiment_name(out, std::string(kHashSize, 'x'), step, ""));
    if (std::ssize(name) <= room) continue;
    out.problems.push_back({path + "[" + std::to_string(i) + "].name", "\"" + name + "\"",
                            "at most " + std::to_string(room) +
                                " characters, so that its Service can be called " +
                                experiment_name(out, "<hash>", step, "<name>")});
  }
}

}  // namespace

api::Rollout read_rollout(const Json& json) {
  api::Rollout out = api::decode_rollout(json);
  const auto& canary = out.spec.canary;
  const std::string path = "spec.strategy.canary";
  if (canary.analysis) check_analysis(path + ".analysis", *canary.analysis, out.problems);
  for (std::size_t i = 0; i < canary.steps.size(); ++i) {
    const std::string at = path + ".steps[" + std::to_string(i) + "]";
    const auto* experiment = std::get_if<api::Experiment>(&canary.steps[i]);
    if (experiment) check_names(at + ".experiment.templates", *experiment, i, out);
    if (const auto* analysis = api::analysis_of(canary.steps[i]))
      check_analysis(at + (experiment ? ".experiment" : "") + ".analysis", *analysis, out.problems);
  }
  return out;
}

}  // namespace tidegate::rollout
