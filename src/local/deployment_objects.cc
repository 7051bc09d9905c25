// SPDX-License-Identifier: Apache-2.0
#include "local/deployment_objects.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/core.h"
#include "base/text.h"

namespace tidegate::local {
namespace {

const Json* find_condition(const Json& status, std::string_view type) {
  for (const auto& condition : json::array_at(status, "conditions")) {
    if (json::string_at(condition, "type") == type) return &condition;
  }
  return nullptr;
}

// A Deployment's condition has lastUpdateTime as well: when its reason or status last changed, or progress
// was made.
Json condition(const Json& before, std::string_view type, bool holds, std::string_view reason,
               const std::string& message, bool moved, TimePoint now) {
  const std::string status = holds ? "True" : "False", time = text::format_time(now);
  const Json* old = find_condition(before, type);
  const bool same_status = old && json::string_at(*old, "status") == status;
  const bool same = same_status && json::string_at(*old, "reason") == reason && !moved;
  return {{"type", type},
          {"status", status},
          {"reason", reason},
          {"message", message},
          {"lastTransitionTime", same_status ? json::string_at(*old, "lastTransitionTime", time) : time},
          {"lastUpdateTime", same ? json::string_at(*old, "lastUpdateTime", time) : time}};
}

bool has_moved(const Json& before, const DeploymentStatus& status) {
  return json::int_at(before, "updatedReplicas") != status.updated ||
         json::int_at(before, "replicas") != status.replicas ||
         json::int_at(before, "readyReplicas") != status.ready ||
         json::int_at(before, "availableReplicas") != status.available;
}

Json progressing(const api::Object& deployment, const DeploymentSpec& spec, const DeploymentStatus& status,
                 TimePoint now) {
  const Json& before = json::object_at(*deployment.json, "status");
  const std::string name = "Deployment \"" + deployment.meta.name + "\"";
  const bool moved = has_moved(before, status);
  if (status.complete)
    return condition(before, "Progressing", true, "NewReplicaSetAvailable",
                     name + " has successfully progressed.", false, now);
  const Json* old = find_condition(before, "Progressing");
  const bool new_spec = json::int_at(before, "observedGeneration") != deployment.meta.generation;
  const auto since = old ? text::parse_time(json::string_at(*old, "lastUpdateTime")) : std::nullopt;
  const bool was_complete = old && json::string_at(*old, "reason") == "NewReplicaSetAvailable";
  const bool late = !new_spec && !moved && !was_complete && since &&
                    now - *since > std::chrono::seconds(spec.progress_deadline_seconds);
  if (late)
    return condition(before, "Progressing", false, "ProgressDeadlineExceeded",
                     name + " has timed out progressing.", false, now);
  return condition(before, "Progressing", true, "ReplicaSetUpdated", name + " is progressing.",
                   moved || new_spec, now);
}

}  // namespace

std::int64_t revision_of(const api::Meta& meta) {
  const auto it = meta.annotations.find(std::string(kRevisionAnnotation));
  return it == meta.annotations.end() ? 0 : text::parse_int(it->second).value_or(0);
}

std::int32_t wanted_replicas(const Json& replica_set) {
  return api::decode_replica_set(replica_set).replicas;
}

SetState set_state(const api::Object& replica_set) {
  const auto set = api::decode_replica_set(*replica_set.json);
  SetState state{set.meta.name,      set.replicas,           set.status_replicas,
                 set.ready_replicas, set.available_replicas, set.meta.created};
  return state;
}

Json replica_set_of(const api::Object& deployment, const DeploymentSpec& spec, std::int64_t revision) {
  const Json& from = json::object_at(*deployment.json, "spec");
  const std::string hash_label(kTemplateHashLabel);
  const api::OwnerReference owner{"apps/v1", "Deployment", deployment.meta.name, deployment.meta.uid, true};
  Json pod_template = json::object_at(from, "template"), selector = json::object_at(from, "selector");
  pod_template["metadata"]["labels"][hash_label] = spec.template_hash;
  selector["matchLabels"][hash_label] = spec.template_hash;
  Json metadata = {{"namespace", deployment.meta.ns},
                   {"name", deployment.meta.name + "-" + spec.template_hash},
                   {"labels", pod_template["metadata"]["labels"]},
                   {"annotations", {{std::string(kRevisionAnnotation), std::to_string(revision)}}},
                   {"ownerReferences", Json::array({api::to_json(owner)})}};
  return {{"apiVersion", "apps/v1"},
          {"kind", "ReplicaSet"},
          {"metadata", metadata},
          {"spec",
           {{"replicas", 0},
            {"minReadySeconds", spec.min_ready_seconds},
            {"selector", selector},
            {"template", pod_template}}}};
}

Json deployment_status_json(const api::Object& deployment, const DeploymentSpec& spec,
                            const DeploymentStatus& status, TimePoint now) {
  const Json& before = json::object_at(*deployment.json, "status");
  const bool enough = status.available_enough;
  const Json available = condition(
      before, "Available", enough, enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
      enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.",
      false, now);
  return {{"observedGeneration", deployment.meta.generation},
          {"replicas", status.replicas},
          {"updatedReplicas", status.updated},
          {"readyReplicas", status.ready},
          {"availableReplicas", status.available},
          {"unavailableReplicas", std::max(0, std::max(spec.replicas, status.replicas) - status.available)},
          {"conditions", {available, progressing(deployment, spec, status, now)}}};
}

}  // namespace tidegate::local
