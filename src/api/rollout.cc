// SPDX-License-Identifier: Apache-2.0
#include "api/rollout.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::api {
namespace {

constexpr std::int64_t kMaxReplicas = 100'000;
constexpr std::int64_t kMaxRuns = 1000;
constexpr const char* kLater = "nothing here: it is not supported yet";

void check_routes(const FieldReader& canary, const CanaryStrategy& out) {
  for (const auto& step : out.steps) {
    const auto* weight = std::get_if<SetWeight>(&step);
    const bool routed = (weight && weight->percent > 0) || std::holds_alternative<SetHeaderRoute>(step) ||
                        std::holds_alternative<SetMirrorRoute>(step);
    if (routed && out.routes.empty()) {
      canary.problem("trafficRouting.routes", "the route that the steps drive");
      return;
    }
  }
}

std::vector<RouteReference> decode_routes(const FieldReader& routing) {
  std::vector<RouteReference> out;
  routing.refuse("stickiness", kLater);
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
  const FieldReader analysis = spec.child("analysis");
  out.successful_run_history_limit = analysis.integer("successfulRunHistoryLimit", 0, kMaxRuns).value_or(5);
  out.unsuccessful_run_history_limit =
      analysis.integer("unsuccessfulRunHistoryLimit", 0, kMaxRuns).value_or(5);
  const FieldReader strategy = spec.child("strategy");
  strategy.refuse("blueGreen", "canary: blueGreen is not supported yet");
  if (strategy.has("canary")) {
    decode_canary(strategy.child("canary"), out.canary);
  } else {
    strategy.problem("canary", "a canary strategy");
  }
  return out;
}

}  // namespace

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
