// SPDX-License-Identifier: Apache-2.0
// What the controller writes, as documents.
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "rollout/header_routes.h"
#include "rollout/mirrors.h"
#include "rollout/perform.h"

namespace tidegate::rollout {
namespace {

// The port by which routes reach the Service, or stable in its place; 80 where none says.
std::int64_t route_port(const api::Rollout& rollout, const Cluster& cluster, const std::string& service) {
  std::int64_t port = 80;
  for (const auto& reference : rollout.spec.canary.routes) {
    const auto route = cluster.routes(reference.kind).get({rollout.meta.ns, reference.name});
    if (!route) continue;
    for (const auto& rule : json::array_at(*route->json, "spec.rules")) {
      for (const auto& backend : json::array_at(rule, "backendRefs")) {
        const std::string name = json::string_at(backend, "name");
        if (name == service) return json::int_at(backend, "port", port);
        if (name == rollout.spec.canary.stable_service) port = json::int_at(backend, "port", port);
      }
    }
  }
  return port;
}

Json target_port(const Json& pod_template, std::int64_t fallback) {
  for (const auto& container : json::array_at(pod_template, "spec.containers")) {
    for (const auto& port : json::array_at(container, "ports")) {
      const std::string name = json::string_at(port, "name");
      if (!name.empty()) return name;
      return json::int_at(port, "containerPort", fallback);
    }
  }
  return fallback;
}

}  // namespace

Json replica_set_document(const api::Rollout& rollout, const std::string& revision, std::int64_t replicas) {
  Json pod = *rollout.spec.pod_template;
  pod["metadata"]["labels"][api::kRevisionLabel] = revision;
  Json labels = pod["metadata"]["labels"];
  const Json selector = {{"matchLabels", labels}};
  labels[kManagedBy] = "tidegate";
  return {{"apiVersion", "apps/v1"},
          {"kind", "ReplicaSet"},
          {"metadata",
           {{"name", rollout.meta.name + "-" + revision},
            {"namespace", rollout.meta.ns},
            {"labels", labels},
            {"ownerReferences", Json::array({owner_of(rollout)})}}},
          {"spec",
           {{"replicas", replicas},
            {"minReadySeconds", rollout.spec.min_ready_seconds},
            {"selector", selector},
            {"template", pod}}}};
}

Json experiment_set_document(const api::Rollout& rollout, const CreateExperimentSet& action,
                             const Json& replica_set) {
  Json pod = json::object_at(replica_set, "spec.template");
  Json& labels = pod["metadata"]["labels"];
  labels[api::kRevisionLabel] = action.name.substr(rollout.meta.name.size() + 1);
  labels[api::kExperimentLabel] = action.name;
  Json own = labels;
  own[kManagedBy] = "tidegate";
  return {{"apiVersion", "apps/v1"},
          {"kind", "ReplicaSet"},
          {"metadata",
           {{"name", action.name},
            {"namespace", rollout.meta.ns},
            {"labels", own},
            {"ownerReferences", Json::array({owner_of(rollout)})}}},
          {"spec",
           {{"replicas", action.replicas},
            {"minReadySeconds", rollout.spec.min_ready_seconds},
            {"selector", {{"matchLabels", {{api::kExperimentLabel, action.name}}}}},
            {"template", std::move(pod)}}}};
}

Json experiment_service_document(const api::Rollout& rollout, const Cluster& cluster,
                                 const std::string& name) {
  Json out = service_document(rollout, cluster, {name, ""});
  out["metadata"]["labels"][api::kExperimentLabel] = name;
  out["spec"]["selector"] = {{api::kExperimentLabel, name}};
  return out;
}

Json service_document(const api::Rollout& rollout, const Cluster& cluster, const EnsureService& action) {
  Json selector = Json::object();
  for (const auto& [key, value] : api::decode_labels(*rollout.spec.pod_template, "metadata.labels"))
    selector[key] = value;
  selector[api::kRevisionLabel] = action.revision;
  const std::int64_t port = route_port(rollout, cluster, action.name);
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata",
           {{"name", action.name},
            {"namespace", rollout.meta.ns},
            {"labels", {{kManagedBy, "tidegate"}}},
            {"ownerReferences", Json::array({owner_of(rollout)})}}},
          {"spec",
           {{"selector", selector},
            {"ports", Json::array({{{"name", "http"},
                                    {"port", port},
                                    {"targetPort", target_port(*rollout.spec.pod_template, port)}}})}}}};
}

Result<Json> route_patch(const SetWeights& action, const api::Rollout& rollout, const Json& route) {
  Json patch = Json::array(
      {{{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", action.resource_version}}});
  for (const auto& rule : action.rules) {
    const std::string backends = "/spec/rules/" + std::to_string(rule.rule) + "/backendRefs/";
    for (const auto& backend : rule.set) {
      patch.push_back({{"op", "add"},
                       {"path", backends + std::to_string(backend.index) + "/weight"},
                       {"value", backend.weight}});
    }
    for (const auto index : rule.removed)
      patch.push_back({{"op", "remove"}, {"path", backends + std::to_string(index)}});
    if (rule.mirror) add_mirror_patch(patch, rollout, route, rule.rule, *rule.mirror);
    std::vector<AddedBackend> added = rule.experiments;
    if (rule.copy_of) added.insert(added.begin(), {rollout.spec.canary.canary_service, rule.added_weight});
    if (added.empty()) continue;
    const Json* stable = json::find(route, backends + std::to_string(rule.copy_of.value_or(rule.like)));
    if (!stable)
      return Error{ErrorCode::kConflict, to_string(action.route) + " has changed since it was read"};
    for (const auto& [service, weight] : added) {
      Json backend = *stable;
      backend["name"] = service;
      backend["weight"] = weight;
      patch.push_back({{"op", "add"}, {"path", backends + "-"}, {"value", std::move(backend)}});
    }
  }
  return patch;
}

}  // namespace tidegate::rollout
