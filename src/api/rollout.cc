// SPDX-License-Identifier: Apache-2.0
#include "api/rollout.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/blue_green.h"
#include "base/text.h"
#include "base/token.h"

namespace tidegate::api {
namespace {

constexpr std::int64_t kMaxReplicas = 100'000;
constexpr std::int64_t kMaxRuns = 1000;

void check_routes(const FieldReader& canary, const CanaryStrategy& out) {
  for (const auto& step : out.steps) {
    const auto* weight = std::get_if<SetWeight>(&step);
    const auto* experiment = std::get_if<Experiment>(&step);
    const bool weighted =
        experiment && std::any_of(experiment->templates.begin(), experiment->templates.end(),
                                  [](const auto& part) { return part.weight > 0; });
    const bool routed = weighted || (weight && weight->percent > 0) ||
                        std::holds_alternative<SetHeaderRoute>(step) ||
                        std::holds_alternative<SetMirrorRoute>(step);
    if (routed && out.routes.empty()) {
      canary.problem("trafficRouting.routes", "the route that the steps drive");
      return;
    }
  }
}

std::vector<RouteReference> decode_routes(const FieldReader& routing) {
  std::vector<RouteReference> out;
  for (const auto& item : routing.items("routes")) {
    RouteReference route{item.text("name"), item.texts("rules")};
    if (item.has("kind")) route.kind = item.text("kind");
    if (route.kind != "HTTPRoute" && route.kind != "GRPCRoute")
      item.problem("kind", "HTTPRoute or GRPCRoute");
    if (!text::is_dns_subdomain(route.name)) item.problem("name", "the name of a route");
    for (const auto& other : out) {
      if (other.name == route.name && other.kind == route.kind)
        item.problem("name", "a route that is not listed before");
    }
    out.push_back(std::move(route));
  }
  return out;
}

std::string decode_stickiness(const FieldReader& routing) {
  if (!routing.has("stickiness")) return {};
  const FieldReader at = routing.child("stickiness");
  std::string cookie = at.text("cookie");
  if (!text::is_token(cookie)) at.problem("cookie", "the name of a cookie, such as shop-version");
  return cookie;
}

std::string service_name(const FieldReader& canary, std::string_view key) {
  std::string name = canary.text(key);
  if (!text::is_dns_label(name)) canary.problem(key, "the name of a Service");
  return name;
}

void decode_canary(const FieldReader& canary, CanaryStrategy& out) {
  out.routes = decode_routes(canary.child("trafficRouting"));
  out.sticky_cookie = decode_stickiness(canary.child("trafficRouting"));
  out.dynamic_stable_scale = canary.flag("dynamicStableScale").value_or(false);
  if (out.dynamic_stable_scale && out.promotion == Promotion::kSwap)
    canary.problem("dynamicStableScale", "false: the pods of two slots are not ours to scale");
  out.steps = decode_steps(canary);
  check_routes(canary, out);
  if (canary.has("analysis")) {
    const FieldReader at = canary.child("analysis");
    out.analysis = decode_analysis(at);
    if (out.analysis->starting_step >= static_cast<std::int64_t>(out.steps.size()) &&
        out.analysis->starting_step > 0) {
      at.problem("startingStep", "the index of a step, less than " + std::to_string(out.steps.size()));
    }
  }
}

Amount decode_amount(const FieldReader& strategy, const char* key) {
  const Json* value = strategy.raw(key);
  if (!value || value->is_null()) return {};
  if (value->is_number()) return {strategy.integer(key, 0, kMaxReplicas).value_or(0), 0};
  const auto ratio = strategy.percent(key);
  if (!ratio || *ratio < 0 || *ratio >= 1 || !value->is_string()) {
    strategy.problem(key, "a number of pods, or a part of them from \"0%\" to \"99%\"");
    return {};
  }
  return {0, *ratio};
}

void decode_delays(const FieldReader& strategy, CanaryStrategy& out) {
  out.max_unavailable = decode_amount(strategy, "maxUnavailable");

  for (const auto& [key, target] : {std::pair{"scaleDownDelaySeconds", &out.scale_down_delay},
                                    std::pair{"abortScaleDownDelaySeconds", &out.abort_scale_down_delay}}) {
    if (const auto seconds = strategy.integer(key, 0, 86'400)) *target = std::chrono::seconds(*seconds);
  }
}

void decode_services(const FieldReader& strategy, const char* stable, const char* canary,
                     CanaryStrategy& out) {
  out.stable_service = service_name(strategy, stable);
  out.canary_service = service_name(strategy, canary);
  if (!out.canary_service.empty() && out.canary_service == out.stable_service)
    strategy.problem(canary, "another Service than " + std::string(stable));
}

// Which of the two is stable stands in status, for it changes with each promotion.
void assign_slots(const FieldReader& strategy, const ServiceSlots& slots, const std::string& stable,
                  CanaryStrategy& out) {
  for (const auto* key : {"stableService", "canaryService"})
    strategy.refuse(key, "nothing here: spec.services.slots names both Services");
  out.promotion = Promotion::kSwap;
  const bool second = stable == slots.slots[1];
  out.stable_service = slots.slots[second ? 1 : 0];
  out.canary_service = slots.slots[second ? 0 : 1];
}

void decode_strategy(const FieldReader& strategy, const Workload& workload, const std::string& stable_slot,
                     CanaryStrategy& out) {
  const auto* slots = std::get_if<ServiceSlots>(&workload);
  if (strategy.has("canary")) {
    strategy.refuse("blueGreen", "nothing here beside canary");
  } else if (!strategy.has("blueGreen")) {
    return strategy.problem("canary", "a canary strategy, or blueGreen in its place");
  } else {
    const FieldReader at = strategy.child("blueGreen");
    if (slots)
      strategy.problem("blueGreen", "canary: the Services of two slots have no selector of ours to switch");
    decode_services(at, "activeService", "previewService", out);
    decode_delays(at, out);
    decode_blue_green(at, out);
    return;
  }
  const FieldReader at = strategy.child("canary");
  if (slots) {
    assign_slots(at, *slots, stable_slot, out);
  } else {
    decode_services(at, "stableService", "canaryService", out);
  }
  decode_delays(at, out);
  decode_canary(at, out);
  for (std::size_t i = 0; slots && i < out.steps.size(); ++i) {
    if (std::holds_alternative<Experiment>(out.steps[i]))
      at.items("steps")[i].problem("experiment", "another step: two slots have no pod template to run");
  }
}

RolloutSpec decode_spec(const FieldReader& spec, const RolloutStatus& status) {
  RolloutSpec out;
  out.workload = decode_workload(spec);
  out.pod_template = std::holds_alternative<PodTemplate>(out.workload)
                         ? decode_pod_template(spec)
                         : std::make_shared<const Json>(Json::object());
  const bool slots = std::holds_alternative<ServiceSlots>(out.workload);  // endpoints, of which there is one
  out.replicas = spec.integer("replicas", slots ? 1 : 0, kMaxReplicas).value_or(1);
  out.revision_history_limit = spec.integer("revisionHistoryLimit", 0, 1000).value_or(5);
  out.progress_deadline =
      std::chrono::seconds(spec.integer("progressDeadlineSeconds", 1, 604'800).value_or(600));
  out.min_ready_seconds = spec.integer("minReadySeconds", 0, 86'400).value_or(0);
  out.rollback_window = spec.child("rollbackWindow").integer("revisions", 0, 10).value_or(0);
  out.paused = spec.flag("paused").value_or(false);
  const FieldReader analysis = spec.child("analysis");
  out.successful_run_history_limit = analysis.integer("successfulRunHistoryLimit", 0, kMaxRuns).value_or(5);
  out.unsuccessful_run_history_limit =
      analysis.integer("unsuccessfulRunHistoryLimit", 0, kMaxRuns).value_or(5);
  decode_strategy(spec.child("strategy"), out.workload, status.stable_slot, out.canary);
  return out;
}

// What a revision is, by the form of its workload.
struct RevisionOf {
  const RolloutSpec& spec;
  std::string operator()(const PodTemplate&) const { return text::safe_hash(json::dump(*spec.pod_template)); }
  std::string operator()(const WorkloadRef&) const { return {}; }  // with_deployment
  std::string operator()(const ServiceSlots& slots) const { return slots.revision; }
};

}  // namespace

Rollout decode_rollout(const Json& json) {
  Rollout out;
  out.meta = decode_meta(json);
  out.json = std::make_shared<const Json>(json);
  out.status = decode_rollout_status(json::object_at(json, "status"));
  out.spec = decode_spec(FieldReader(json::object_at(json, "spec"), "spec", out.problems), out.status);
  out.revision = std::visit(RevisionOf{out.spec}, out.spec.workload);
  out.steps_hash = text::safe_hash(json::dump(json::array_at(json, "spec.strategy.canary.steps")));
  return out;
}

Rollout with_deployment(Rollout rollout, const Json* deployment) {
  const auto& reference = std::get<WorkloadRef>(rollout.spec.workload);
  if (!deployment) {
    rollout.problems.push_back({"spec.workloadRef.name", "\"" + reference.name + "\"",
                                "a Deployment in namespace " + rollout.meta.ns});
    return rollout;
  }
  const FieldReader spec(json::object_at(*deployment, "spec"), "spec", rollout.problems);
  rollout.spec.pod_template = decode_pod_template(spec);
  // Not the hash by which the Deployment may call its own ReplicaSets: both can have the same name before it.
  rollout.revision = text::safe_hash("Rollout " + json::dump(*rollout.spec.pod_template));
  return rollout;
}

}  // namespace tidegate::api
