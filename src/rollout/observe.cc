// SPDX-License-Identifier: Apache-2.0
#include "rollout/observe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "metrics/gateway_provider.h"

namespace tidegate::rollout {
namespace {

constexpr std::string_view kOurController = "tidegate.dev/gateway-controller";
constexpr std::string_view kProgrammed = "tidegate.dev/Programmed";

bool names_service(const Json& backend, const std::string& ns, const std::string& service) {
  return json::string_at(backend, "name") == service &&
         json::string_at(backend, "kind", "Service") == "Service" &&
         json::string_at(backend, "group").empty() && json::string_at(backend, "namespace", ns) == ns;
}

std::optional<SeenRule> read_rule(const api::Rollout& rollout, const Json& rule) {
  SeenRule out;
  bool stable = false;
  const Json& backends = json::array_at(rule, "backendRefs");
  for (std::size_t i = 0; i < backends.size(); ++i) {
    const std::int64_t weight = json::int_at(backends[i], "weight", 1);
    if (!stable && names_service(backends[i], rollout.meta.ns, rollout.spec.canary.stable_service)) {
      stable = true;
      out.stable_index = i;
      out.stable_weight = weight;
    } else if (!out.canary_index &&
               names_service(backends[i], rollout.meta.ns, rollout.spec.canary.canary_service)) {
      out.canary_index = i;
      out.canary_weight = weight;
    } else {
      out.others[i] = weight;
    }
  }
  if (!stable) return std::nullopt;
  return out;
}

bool holds(const std::vector<api::Condition>& conditions, std::string_view type, std::int64_t generation) {
  const auto* condition = api::find_condition(conditions, type);
  return condition && condition->status == "True" && condition->observed_generation >= generation;
}

// What keeps this parent from serving the route; empty: nothing.
std::string obstacle(const std::vector<api::Condition>& conditions, const std::string& gateway,
                     std::int64_t generation) {
  for (const auto* type : {"Accepted", "ResolvedRefs"}) {
    if (holds(conditions, type, generation)) continue;
    const auto* condition = api::find_condition(conditions, type);
    const bool refused = condition && condition->observed_generation >= generation;
    return "Gateway " + gateway +
           (refused ? " says " + std::string(type) + " is " + condition->status + ": " + condition->message
                    : " has not taken generation " + std::to_string(generation) + " yet");
  }
  return {};
}

SeenService read_service(const api::Rollout& rollout, const Cluster& cluster, const std::string& name) {
  SeenService out;
  const auto service = cluster.services.get({rollout.meta.ns, name});
  if (!service) return out;
  out.exists = true;
  const auto revision = service->selector.find(api::kRevisionLabel);
  if (revision != service->selector.end()) out.revision = revision->second;
  each_in(cluster.slices, rollout.meta.ns, [&](const api::EndpointSlice& slice) {
    if (slice.service != name) return;
    for (const auto& endpoint : slice.endpoints) {
      if (!endpoint.ready || endpoint.terminating) continue;
      // Pods are called <rollout>-<revision>-<suffix>.
      const auto end = endpoint.target_pod.rfind('-');
      const std::string set = endpoint.target_pod.substr(0, end == std::string::npos ? 0 : end);
      const bool ours = set.starts_with(rollout.meta.name + "-");
      ++out.ready[ours ? set.substr(rollout.meta.name.size() + 1) : "?"];
    }
  });
  return out;
}

SeenTraffic read_traffic(const api::Rollout& rollout, const metrics::TrafficSource* source) {
  SeenTraffic out;
  if (!source) return out;
  out.known = true;
  const auto& strategy = rollout.spec.canary;
  const auto& counts = source->counts();
  for (const auto& route : strategy.routes) {
    const auto add = [&](const std::string& service, metrics::BackendTraffic& sum) {
      const auto found = counts.find({"HTTPRoute", rollout.meta.ns, route.name, rollout.meta.ns, service});
      if (found != counts.end()) sum += found->second;
    };
    add(strategy.stable_service, out.stable);
    add(strategy.canary_service, out.canary);
  }
  return out;
}

// Who set an annotation, by the managers that the API server records.
std::map<std::string, std::string> read_setters(const Json& rollout) {
  std::map<std::string, std::string> out;
  for (const auto& entry : json::array_at(rollout, "metadata.managedFields")) {
    for (const auto& [field, value] : json::object_at(entry, "/fieldsV1/f:metadata/f:annotations").items()) {
      if (field.starts_with("f:tidegate.dev/")) out[field.substr(2)] = json::string_at(entry, "manager");
    }
  }
  return out;
}

}  // namespace

bool owned_by(const api::Meta& meta, const api::Rollout& rollout) {
  return std::any_of(meta.owners.begin(), meta.owners.end(),
                     [&](const auto& owner) { return owner.controller && owner.uid == rollout.meta.uid; });
}

SeenRoute read_route(const api::Rollout& rollout, const api::RouteReference& reference, const Json& route) {
  SeenRoute out;
  out.exists = true;
  out.resource_version = json::string_at(route, "metadata.resourceVersion");
  out.missing_rules = reference.rules;
  const Json& rules = json::array_at(route, "spec.rules");
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const std::string name = json::string_at(rules[i], "name");
    if (!reference.rules.empty() && std::erase(out.missing_rules, name) == 0) continue;
    if (auto rule = read_rule(rollout, rules[i])) {
      rule->index = i;
      out.rules.push_back(std::move(*rule));
    }
  }
  return out;
}

void read_served(const Json& route, const api::Meta& meta, const metrics::TrafficSource* traffic,
                 SeenRoute& out) {
  const Json& parents = json::array_at(route, "status.parents");
  if (parents.empty()) out.not_served = "no Gateway has taken it";
  bool ours = false;
  for (const auto& parent : parents) {
    const auto conditions = api::decode_conditions(json::array_at(parent, "conditions"));
    const std::string gateway = json::string_at(parent, "parentRef.name");
    out.not_served = obstacle(conditions, gateway, meta.generation);
    if (json::string_at(parent, "controllerName") == kOurController) {
      ours = true;
      if (out.not_served.empty() && !traffic && !holds(conditions, kProgrammed, meta.generation)) {
        out.not_served = "the proxies of Gateway " + gateway + " do not serve it yet";
      }
    }
    if (!out.not_served.empty()) return;
  }
  if (out.not_served.empty() && ours && traffic &&
      traffic->served_generation("HTTPRoute", meta.ns, meta.name) < meta.generation) {
    out.not_served = "the proxies do not serve generation " + std::to_string(meta.generation) + " yet";
  }
  out.served = out.not_served.empty();
}

Observation observe(const api::Rollout& rollout, const Cluster& cluster,
                    const metrics::TrafficSource* traffic, TimePoint now) {
  Observation out;
  out.now = now;
  each_in(cluster.replica_sets, rollout.meta.ns, [&](const api::ReplicaSet& set) {
    if (!owned_by(set.meta, rollout) || set.meta.deleted) return;
    const auto revision = set.meta.labels.find(api::kRevisionLabel);
    if (revision == set.meta.labels.end()) return;
    out.replica_sets.push_back({set.meta.name, revision->second, set.replicas, set.ready_replicas,
                                set.available_replicas, set.meta.created});
  });
  out.stable_service = read_service(rollout, cluster, rollout.spec.canary.stable_service);
  out.canary_service = read_service(rollout, cluster, rollout.spec.canary.canary_service);
  for (const auto& reference : rollout.spec.canary.routes) {
    const auto route = cluster.routes.get({rollout.meta.ns, reference.name});
    if (!route) continue;
    SeenRoute seen = read_route(rollout, reference, *route->json);
    read_served(*route->json, route->meta, traffic, seen);
    out.routes.emplace(reference.name, std::move(seen));
  }
  out.traffic = read_traffic(rollout, traffic);
  out.set_by = read_setters(*rollout.json);
  return out;
}

}  // namespace tidegate::rollout
