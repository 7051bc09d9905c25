// SPDX-License-Identifier: Apache-2.0
#include "rollout/observe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "metrics/gateway_provider.h"
#include "rollout/experiment.h"
#include "rollout/header_routes.h"
#include "rollout/mirrors.h"

namespace tidegate::rollout {
namespace {

constexpr std::string_view kOurController = "tidegate.dev/gateway-controller";
constexpr std::string_view kProgrammed = "tidegate.dev/Programmed";

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
    } else if (const std::string name = json::string_at(backends[i], "name");
               names_experiment(rollout, name) && names_service(backends[i], rollout.meta.ns, name)) {
      out.experiments[name] = {i, weight};
    } else {
      out.others[i] = weight;
    }
  }
  if (!stable) return std::nullopt;
  out.sticky = rule.contains("sessionPersistence");
  const Json& filters = json::array_at(rule, "filters");
  out.filters = filters.size();
  for (const auto& filter : filters) {
    if (!copies_to_canary(rollout, filter)) continue;
    const bool fraction = json::find(filter, "requestMirror.fraction") != nullptr;
    out.mirrors.push_back(fraction ? -1 : json::int_at(filter, "requestMirror.percent", 100));
  }
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

bool has_slots(const api::Rollout& rollout) {
  return std::holds_alternative<api::ServiceSlots>(rollout.spec.workload);
}

std::string read_sticky(const api::Service& service) {
  const auto found = service.meta.annotations.find(api::kStickySplitAnnotation);
  return found == service.meta.annotations.end() ? std::string() : found->second;
}

SeenService read_slot(const api::Rollout& rollout, const Cluster& cluster, const std::string& name) {
  SeenService out;
  const auto service = cluster.services.get({rollout.meta.ns, name});
  out.exists = service != nullptr;
  if (service) out.sticky = read_sticky(*service);
  out.revision = slot_revision(rollout, name);
  each_in(cluster.slices, rollout.meta.ns, [&](const api::EndpointSlice& slice) {
    if (slice.service != name) return;
    for (const auto& endpoint : slice.endpoints) {
      if (endpoint.ready && !endpoint.terminating) out.ready[out.revision] += std::ssize(endpoint.addresses);
    }
  });
  return out;
}

SeenService read_service(const api::Rollout& rollout, const Cluster& cluster,
                         const std::vector<SeenReplicaSet>& sets, const std::string& name) {
  if (has_slots(rollout)) return read_slot(rollout, cluster, name);
  SeenService out;
  const auto service = cluster.services.get({rollout.meta.ns, name});
  if (!service) return out;
  out.exists = true;
  out.sticky = read_sticky(*service);
  const auto revision = service->selector.find(api::kRevisionLabel);
  if (revision != service->selector.end()) out.revision = revision->second;
  each_in(cluster.slices, rollout.meta.ns, [&](const api::EndpointSlice& slice) {
    if (slice.service != name) return;
    for (const auto& endpoint : slice.endpoints) {
      if (!endpoint.ready || endpoint.terminating) continue;
      // Pods are called <ReplicaSet>-<suffix>.
      const auto end = endpoint.target_pod.rfind('-');
      const std::string set = endpoint.target_pod.substr(0, end == std::string::npos ? 0 : end);
      const auto own = std::find_if(sets.begin(), sets.end(), [&](const auto& it) { return it.name == set; });
      ++out.ready[own == sets.end() ? "?" : own->revision];
    }
  });
  return out;
}

SeenDeployment read_deployment(const api::Rollout& rollout, const Cluster& cluster) {
  const auto* reference = std::get_if<api::WorkloadRef>(&rollout.spec.workload);
  if (!reference) return {};
  const auto found = cluster.deployments.get({rollout.meta.ns, reference->name});
  if (!found) return {};
  return {true, json::int_at(*found->json, "spec.replicas", 1),
          json::int_at(*found->json, "status.availableReplicas")};
}

// In blue-green the routes are the user's own: all that lead to the Services count. Once the active Service
// has switched, what it gets is the new revision's.
void read_switched_traffic(const api::Rollout& rollout, const metrics::TrafficCounts& counts,
                           SeenTraffic& out) {
  const bool switched = rollout.status.stage == api::Stage::kProving;
  for (const auto& [backend, traffic] : counts) {
    if (backend.backend_ns != rollout.meta.ns) continue;
    const bool active = backend.backend == rollout.spec.canary.stable_service;
    if (active) (switched ? out.canary : out.stable) += traffic;
    if (backend.backend == rollout.spec.canary.canary_service) out.canary += traffic;
  }
}

void read_traffic(const api::Rollout& rollout, const metrics::TrafficSource* source, Observation& seen) {
  SeenTraffic& out = seen.traffic;
  if (!source) return;
  out.known = true;
  const auto& strategy = rollout.spec.canary;
  const auto& counts = source->counts();
  if (strategy.promotion == api::Promotion::kSelector) return read_switched_traffic(rollout, counts, out);
  const auto add = [&](const RouteKey& route, const std::string& service, metrics::BackendTraffic& sum) {
    const auto found = counts.find({route.kind, rollout.meta.ns, route.name, rollout.meta.ns, service});
    if (found != counts.end()) sum += found->second;
  };
  for (const auto& route : strategy.routes) {
    add({route.kind, route.name}, strategy.stable_service, out.stable);
    add({route.kind, route.name}, strategy.canary_service, out.canary);
  }
  // Also of those that are gone: counts only grow.
  metrics::BackendTraffic by_header;
  for (const auto& key : managed_route_names(rollout)) add(key, strategy.canary_service, by_header);
  seen.by_header = by_header.requests;
  out.canary += by_header;
}

SeenManagedRoute read_managed_route(const api::Rollout& rollout, const Cluster& cluster, const RouteKey& key,
                                    const metrics::TrafficSource* traffic) {
  SeenManagedRoute out;
  const auto route = cluster.routes(key.kind).get({rollout.meta.ns, key.name});
  if (!route) {
    out.served = traffic && traffic->served_generation(key.kind, rollout.meta.ns, key.name) > 0;
    return out;
  }
  out.exists = true;
  out.ours = owned_by(route->meta, rollout);
  out.resource_version = route->meta.resource_version;
  out.document = route->json;
  out.not_served = why_not_served(key.kind, *route->json, route->meta, traffic);
  out.served = out.not_served.empty();
  return out;
}

std::map<RouteKey, SeenManagedRoute> read_managed_routes(const api::Rollout& rollout, const Cluster& cluster,
                                                         const metrics::TrafficSource* traffic) {
  std::map<RouteKey, SeenManagedRoute> out;
  for (const auto& key : managed_route_names(rollout))
    out.emplace(key, read_managed_route(rollout, cluster, key, traffic));
  // Made by a decision whose status was never written, for a step that is no more.
  for (const std::string kind : {"HTTPRoute", "GRPCRoute"}) {
    each_in(cluster.routes(kind), rollout.meta.ns, [&](const api::Object& route) {
      const RouteKey key{kind, route.meta.name};
      if (owned_by(route.meta, rollout) && !out.contains(key))
        out.emplace(key, read_managed_route(rollout, cluster, key, traffic));
    });
  }
  return out;
}

// Those of a ReplicaSet: by their owner.
void read_pods(const api::Rollout& rollout, const Cluster& cluster, Observation& seen) {
  seen.pods_known = true;
  std::map<std::string, std::vector<std::pair<TimePoint, std::string>>> stale;  // by ReplicaSet
  each_in(cluster.pods, rollout.meta.ns, [&](const api::Pod& pod) {
    for (auto& set : seen.replica_sets) {
      const bool of_set = std::any_of(pod.meta.owners.begin(), pod.meta.owners.end(), [&](const auto& owner) {
        return owner.kind == api::kReplicaSets.kind && owner.name == set.name;
      });
      if (!of_set) continue;
      if (pod.meta.deleted) {
        ++set.terminating;
      } else if (rollout.status.restart && pod.meta.created < rollout.status.restart->at) {
        stale[set.name].emplace_back(pod.meta.created, pod.meta.name);
      }
    }
  });
  for (auto& set : seen.replica_sets) {
    auto& pods = stale[set.name];
    std::sort(pods.begin(), pods.end());
    for (auto& [created, name] : pods) set.stale.push_back(std::move(name));
  }
}

// By their label, so that what a decision made whose status was never written is found too.
std::map<std::string, SeenPart> read_experiments(const api::Rollout& rollout, const Cluster& cluster,
                                                 const metrics::TrafficSource* traffic) {
  std::map<std::string, SeenPart> out;
  const auto ours = [&](const api::Meta& meta) {
    return owned_by(meta, rollout) && !meta.deleted && meta.labels.contains(api::kExperimentLabel);
  };
  each_in(cluster.replica_sets, rollout.meta.ns, [&](const api::ReplicaSet& set) {
    if (!ours(set.meta)) return;
    auto& part = out[set.meta.name];
    part.has_set = true;
    part.replicas = set.replicas;
    part.available = set.available_replicas;
  });
  each_in(cluster.services, rollout.meta.ns, [&](const api::Service& service) {
    if (ours(service.meta)) out[service.meta.name].has_service = true;
  });
  if (out.empty()) return out;
  each_in(cluster.slices, rollout.meta.ns, [&](const api::EndpointSlice& slice) {
    const auto part = out.find(slice.service);
    if (part == out.end()) return;
    for (const auto& endpoint : slice.endpoints)
      part->second.endpoints += endpoint.ready && !endpoint.terminating;
  });
  if (!traffic) return out;
  for (const auto& [backend, counts] : traffic->counts()) {
    const auto part = out.find(backend.backend);
    if (backend.backend_ns == rollout.meta.ns && part != out.end()) part->second.traffic += counts;
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

// Which pods, or machines, stand behind a slot is not ours to know: it holds what its role says.
std::string slot_revision(const api::Rollout& rollout, const std::string& service) {
  const auto& status = rollout.status;
  if (status.stable_revision.empty())
    return service == rollout.spec.canary.stable_service ? rollout.revision : std::string();
  if (service == rollout.spec.canary.stable_service) return status.stable_revision;
  return rollout.revision == status.stable_revision ? std::string() : rollout.revision;
}

void count_slots(const api::Rollout& rollout, Observation& seen) {
  const auto add = [&](const std::string& name, const SeenService& service) {
    if (service.revision.empty()) return;
    const auto ready = service.ready.find(service.revision);
    const std::int64_t count = ready == service.ready.end() ? 0 : ready->second;
    seen.replica_sets.push_back({name, service.revision, rollout.spec.replicas, count, count, {}, {}, 0});
  };
  add(rollout.spec.canary.stable_service, seen.stable_service);
  add(rollout.spec.canary.canary_service, seen.canary_service);
}

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

std::string why_not_served(const std::string& kind, const Json& route, const api::Meta& meta,
                           const metrics::TrafficSource* traffic) {
  const Json& parents = json::array_at(route, "status.parents");
  if (parents.empty()) return "no Gateway has taken it";
  bool ours = false;
  for (const auto& parent : parents) {
    const auto conditions = api::decode_conditions(json::array_at(parent, "conditions"));
    const std::string gateway = json::string_at(parent, "parentRef.name");
    std::string why = obstacle(conditions, gateway, meta.generation);
    if (!why.empty()) return why;
    if (json::string_at(parent, "controllerName") != kOurController) continue;
    ours = true;
    if (!traffic && !holds(conditions, kProgrammed, meta.generation))
      return "the proxies of Gateway " + gateway + " do not serve it yet";
  }
  if (ours && traffic && traffic->served_generation(kind, meta.ns, meta.name) < meta.generation)
    return "the proxies do not serve generation " + std::to_string(meta.generation) + " yet";
  return {};
}

bool looks_at_pods(const api::Rollout& rollout) {
  return rollout.status.restart || rollout.meta.annotations.contains(api::kRestartAnnotation);
}

bool uses_templates(const api::Rollout& rollout) {
  const auto& canary = rollout.spec.canary;
  const auto named = [](const api::Analysis& analysis) { return !analysis.templates.empty(); };
  if (canary.analysis && named(*canary.analysis)) return true;
  if (canary.post_promotion && named(*canary.post_promotion)) return true;
  return std::any_of(canary.steps.begin(), canary.steps.end(), [&](const api::Step& step) {
    const auto* analysis = api::analysis_of(step);
    return analysis && named(*analysis);
  });
}

analysis::Templates templates_for(const api::Rollout& rollout, const Cluster& cluster) {
  analysis::Templates out;
  if (!uses_templates(rollout)) return out;
  each_in(cluster.templates, rollout.meta.ns,
          [&](const api::Object& object) { out.of_namespace[object.meta.name] = object.json; });
  for (const auto& [key, object] : cluster.cluster_templates.all()) out.of_cluster[key.name] = object->json;
  return out;
}

Observation observe(const api::Rollout& rollout, const Cluster& cluster,
                    const metrics::TrafficSource* traffic, TimePoint now) {
  Observation out;
  out.now = now;
  each_in(cluster.replica_sets, rollout.meta.ns, [&](const api::ReplicaSet& set) {
    if (!owned_by(set.meta, rollout) || set.meta.deleted) return;
    const auto revision = set.meta.labels.find(api::kRevisionLabel);
    if (revision == set.meta.labels.end() || set.meta.labels.contains(api::kExperimentLabel)) return;
    out.replica_sets.push_back({set.meta.name,
                                revision->second,
                                set.replicas,
                                set.ready_replicas,
                                set.available_replicas,
                                set.meta.created,
                                {},
                                0});
  });
  if (looks_at_pods(rollout) && cluster.pods.synced()) read_pods(rollout, cluster, out);
  out.experiments = read_experiments(rollout, cluster, traffic);
  out.stable_service = read_service(rollout, cluster, out.replica_sets, rollout.spec.canary.stable_service);
  out.canary_service = read_service(rollout, cluster, out.replica_sets, rollout.spec.canary.canary_service);
  if (has_slots(rollout)) count_slots(rollout, out);
  out.deployment = read_deployment(rollout, cluster);
  for (const auto& reference : rollout.spec.canary.routes) {
    const auto route = cluster.routes(reference.kind).get({rollout.meta.ns, reference.name});
    if (!route) continue;
    SeenRoute seen = read_route(rollout, reference, *route->json);
    seen.document = route->json;
    seen.not_served = why_not_served(reference.kind, *route->json, route->meta, traffic);
    seen.served = seen.not_served.empty();
    out.routes.emplace(RouteKey{reference.kind, reference.name}, std::move(seen));
  }
  out.managed_routes = read_managed_routes(rollout, cluster, traffic);
  read_traffic(rollout, traffic, out);
  out.templates = templates_for(rollout, cluster);
  out.set_by = read_setters(*rollout.json);
  return out;
}

}  // namespace tidegate::rollout
