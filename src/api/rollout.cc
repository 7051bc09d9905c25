// SPDX-License-Identifier: Apache-2.0
#include "api/rollout.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::api {
namespace {

constexpr std::int64_t kMaxReplicas = 100'000;
constexpr std::size_t kMaxSteps = 200;
constexpr const char* kLater = "nothing here: it is not supported yet";

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

void decode_steps(const FieldReader& canary, CanaryStrategy& out) {
  const auto items = canary.items("steps");
  if (items.size() > kMaxSteps) {
    canary.problem("steps", "at most " + std::to_string(kMaxSteps) + " steps");
    return;
  }
  const Json* array = canary.raw("steps");
  bool complete = true;
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto step = decode_step(items[i], (*array)[i]);
    complete = complete && step.has_value();
    if (step) out.steps.push_back(std::move(*step));
  }
  if (complete) check_scale(canary, out.steps);
  for (const auto& step : out.steps) {
    const auto* weight = std::get_if<SetWeight>(&step);
    if (weight && weight->percent > 0 && out.routes.empty()) {
      canary.problem("trafficRouting.routes", "the HTTPRoute whose weights the steps set");
      return;
    }
  }
}

std::vector<RouteReference> decode_routes(const FieldReader& routing) {
  std::vector<RouteReference> out;
  routing.refuse("stickiness", kLater);
  for (const auto& item : routing.items("routes")) {
    RouteReference route{item.text("name"), item.texts("rules")};
    if (item.has("kind") && item.text("kind") != "HTTPRoute") {
      item.problem("kind", "HTTPRoute: other kinds are not supported yet");
    }
    if (!text::is_dns_subdomain(route.name)) item.problem("name", "the name of an HTTPRoute");
    for (const auto& other : out) {
      if (other.name == route.name) item.problem("name", "a route that is not listed before");
    }
    out.push_back(std::move(route));
  }
  return out;
}

std::string service_name(const FieldReader& canary, std::string_view key) {
  std::string name = canary.text(key);
  if (!text::is_dns_label(name)) canary.problem(key, "the name of a Service");
  return name;
}

void decode_canary(const FieldReader& canary, CanaryStrategy& out) {
  out.stable_service = service_name(canary, "stableService");
  out.canary_service = service_name(canary, "canaryService");
  if (!out.canary_service.empty() && out.canary_service == out.stable_service) {
    canary.problem("canaryService", "another Service than stableService");
  }
  out.routes = decode_routes(canary.child("trafficRouting"));
  for (const auto& [key, target] : {std::pair{"scaleDownDelaySeconds", &out.scale_down_delay},
                                    std::pair{"abortScaleDownDelaySeconds", &out.abort_scale_down_delay}}) {
    if (const auto seconds = canary.integer(key, 0, 86'400)) *target = std::chrono::seconds(*seconds);
  }
  if (canary.flag("dynamicStableScale").value_or(false)) canary.problem("dynamicStableScale", kLater);
  if (const Json* unavailable = canary.raw("maxUnavailable"); unavailable && *unavailable != 0) {
    canary.problem("maxUnavailable", "0: other values are not supported yet");
  }
  decode_steps(canary, out);
  if (canary.has("analysis")) {
    const FieldReader at = canary.child("analysis");
    out.analysis = decode_analysis(at);
    if (out.analysis->starting_step >= static_cast<std::int64_t>(out.steps.size()) &&
        out.analysis->starting_step > 0) {
      at.problem("startingStep", "the index of a step, less than " + std::to_string(out.steps.size()));
    }
  }
}

void decode_template(const FieldReader& spec, RolloutSpec& out) {
  const FieldReader at = spec.child("template");
  if (!spec.has("template")) {
    spec.problem("template", "a pod template");
  } else {
    out.pod_template = std::make_shared<const Json>(*spec.raw("template"));
    if (json::object_at(*out.pod_template, "metadata.labels").empty()) {
      at.problem("metadata.labels", "labels, by which the pods are selected");
    }
    if (json::array_at(*out.pod_template, "spec.containers").empty()) {
      at.problem("spec.containers", "at least one container");
    }
  }
  if (!out.pod_template) out.pod_template = std::make_shared<const Json>(Json::object());
}

RolloutSpec decode_spec(const FieldReader& spec) {
  RolloutSpec out;
  for (const auto* later : {"workloadRef", "services", "rollbackWindow"}) spec.refuse(later, kLater);
  decode_template(spec, out);
  out.replicas = spec.integer("replicas", 0, kMaxReplicas).value_or(1);
  out.revision_history_limit = spec.integer("revisionHistoryLimit", 0, 1000).value_or(5);
  out.progress_deadline =
      std::chrono::seconds(spec.integer("progressDeadlineSeconds", 1, 604'800).value_or(600));
  out.min_ready_seconds = spec.integer("minReadySeconds", 0, 86'400).value_or(0);
  out.paused = spec.flag("paused").value_or(false);
  const FieldReader strategy = spec.child("strategy");
  strategy.refuse("blueGreen", "canary: blueGreen is not supported yet");
  if (strategy.has("canary")) {
    decode_canary(strategy.child("canary"), out.canary);
  } else {
    strategy.problem("canary", "a canary strategy");
  }
  return out;
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

Rollout decode_rollout(const Json& json) {
  Rollout out;
  out.meta = decode_meta(json);
  out.json = std::make_shared<const Json>(json);
  out.spec = decode_spec(FieldReader(json::object_at(json, "spec"), "spec", out.problems));
  out.status = decode_rollout_status(json::object_at(json, "status"));
  out.revision = text::safe_hash(json::dump(*out.spec.pod_template));
  out.steps_hash = text::safe_hash(json::dump(json::array_at(json, "spec.strategy.canary.steps")));
  return out;
}

}  // namespace tidegate::api
