// SPDX-License-Identifier: Apache-2.0
#include "api/steps.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::api {
namespace {

constexpr std::int64_t kMaxReplicas = 100'000;
constexpr std::size_t kMaxSteps = 200;

Step decode_set_weight(const FieldReader& step) {
  return SetWeight{step.number("setWeight", 0, 100).value_or(0)};
}

Step decode_pause(const FieldReader& step) {
  const FieldReader at = step.child("pause");
  Pause pause;
  pause.duration = at.duration("duration");
  pause.min_requests = at.integer("minRequests", 0, 1'000'000'000).value_or(0);
  return pause;
}

Step decode_set_canary_scale(const FieldReader& step) {
  const FieldReader at = step.child("setCanaryScale");
  SetCanaryScale scale;
  scale.replicas = at.integer("replicas", 0, kMaxReplicas);
  scale.weight = at.number("weight", 0, 100);
  scale.match_traffic_weight = at.flag("matchTrafficWeight").value_or(false);
  if (int(at.has("replicas")) + int(at.has("weight")) + int(scale.match_traffic_weight) != 1) {
    step.problem("setCanaryScale", "exactly one of replicas, weight and matchTrafficWeight: true");
  }
  return scale;
}

Step decode_analysis_step(const FieldReader& step) {
  const FieldReader at = step.child("analysis");
  at.refuse("startingStep", "no startingStep: a step starts where it stands");
  return AnalysisStep{decode_analysis(at)};
}

struct StepKind {
  const char* name;
  Step (*decode)(const FieldReader& step);  // null: not supported yet
};
constexpr StepKind kStepKinds[] = {{"setWeight", decode_set_weight},
                                   {"pause", decode_pause},
                                   {"setCanaryScale", decode_set_canary_scale},
                                   {"analysis", decode_analysis_step},
                                   {"setHeaderRoute", nullptr},
                                   {"setMirrorRoute", nullptr},
                                   {"experiment", nullptr},
                                   {"plugin", nullptr}};

void refuse_unknown_kinds(const FieldReader& step, const Json& json) {
  for (const auto& [key, value] : json.items()) {
    bool known = false;
    for (const auto& kind : kStepKinds) known = known || key == kind.name;
    if (!known) step.problem(key, "a kind of step: setWeight, pause, setCanaryScale or analysis");
  }
}

std::optional<Step> decode_step(const FieldReader& step, const Json& json) {
  if (!step.is_object()) return std::nullopt;
  refuse_unknown_kinds(step, json);
  std::optional<Step> out;
  int kinds = 0;
  for (const auto& kind : kStepKinds) {
    if (!json.contains(kind.name)) continue;
    ++kinds;
    if (!step.has(kind.name)) step.problem(kind.name, "a value");
    if (!kind.decode) step.problem(kind.name, "another kind of step: this one is not supported yet");
    if (kind.decode && step.has(kind.name)) out = kind.decode(step);
  }
  if (kinds == 0) step.problem("", "a step: setWeight, pause, setCanaryScale or analysis");
  if (kinds > 1) step.problem("", "one kind of step, not " + std::to_string(kinds));
  return out;
}

// Steps that contradict each other: traffic for a canary that the steps themselves keep without pods.
void check_scale(const FieldReader& reader, const std::vector<Step>& steps) {
  bool no_pods = false;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (const auto* scale = std::get_if<SetCanaryScale>(&steps[i])) {
      no_pods = scale->replicas == 0 || scale->weight == 0.0;
    } else if (const auto* weight = std::get_if<SetWeight>(&steps[i]);
               weight && weight->percent > 0 && no_pods) {
      reader.items("steps")[i].problem(
          "setWeight",
          "0, or a setCanaryScale before it that gives the canary pods: an earlier step took them all");
    }
  }
}

std::string number_text(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

struct Describe {
  std::string operator()(const SetWeight& step) const { return "setWeight " + number_text(step.percent); }
  std::string operator()(const Pause& step) const {
    if (step.for_person()) return "pause until promoted";
    std::string text = "pause";
    if (step.duration) text += " " + text::format_duration(*step.duration);
    if (step.min_requests > 0)
      text += (step.duration ? " and " : " ") + std::to_string(step.min_requests) + " requests";
    return text;
  }
  std::string operator()(const SetCanaryScale& step) const {
    if (step.replicas) return "setCanaryScale to " + std::to_string(*step.replicas);
    if (step.weight) return "setCanaryScale to " + number_text(*step.weight) + " %";
    return "setCanaryScale with the weight";
  }
  std::string operator()(const AnalysisStep&) const { return "analysis"; }
};

}  // namespace

std::string describe(const Step& step) { return std::visit(Describe{}, step); }

std::vector<Step> decode_steps(const FieldReader& canary) {
  std::vector<Step> out;
  const auto items = canary.items("steps");
  if (items.size() > kMaxSteps) {
    canary.problem("steps", "at most " + std::to_string(kMaxSteps) + " steps");
    return out;
  }
  const Json* array = canary.raw("steps");
  bool complete = true;
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto step = decode_step(items[i], (*array)[i]);
    complete = complete && step.has_value();
    if (step) out.push_back(std::move(*step));
  }
  if (complete) check_scale(canary, out);
  return out;
}

}  // namespace tidegate::api
