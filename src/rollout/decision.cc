// SPDX-License-Identifier: Apache-2.0
#include "rollout/decision.h"

namespace tidegate::rollout {
namespace {

std::string rule_text(const RuleWeights& rule) {
  std::string out = " rule " + std::to_string(rule.rule) + ":";
  for (const auto& backend : rule.set) {
    out += " [" + std::to_string(backend.index) + "]=" + std::to_string(backend.weight);
  }
  if (rule.copy_of) out += " canary added=" + std::to_string(rule.added_weight);
  for (const auto& backend : rule.experiments)
    out += " " + backend.service + " added=" + std::to_string(backend.weight);
  for (const auto index : rule.removed) out += " [" + std::to_string(index) + "] removed";
  if (rule.mirror) out += " mirror=" + std::to_string(*rule.mirror);
  return out;
}

struct Print {
  std::string operator()(const SetWeights& action) const {
    std::string out = "SetWeights " + action.route.name;
    for (const auto& rule : action.rules) out += rule_text(rule);
    return out;
  }
  std::string operator()(const PutRoute& action) const {
    return (action.resource_version.empty() ? "CreateRoute " : "ReplaceRoute ") + action.route.name;
  }
  std::string operator()(const DeleteRoute& action) const { return "DeleteRoute " + action.route.name; }
  std::string operator()(const CreateReplicaSet& action) const {
    return "CreateReplicaSet " + action.revision + " replicas=" + std::to_string(action.replicas);
  }
  std::string operator()(const ScaleReplicaSet& action) const {
    return "ScaleReplicaSet " + action.name + " replicas=" + std::to_string(action.replicas);
  }
  std::string operator()(const DeleteReplicaSet& action) const { return "DeleteReplicaSet " + action.name; }
  std::string operator()(const EnsureService& action) const {
    return "EnsureService " + action.name + " -> " + action.revision;
  }
  std::string operator()(const SetSticky& action) const {
    return "SetSticky " + action.service + " " + (action.value.empty() ? "-" : action.value);
  }
  std::string operator()(const CreateExperimentSet& action) const {
    return "CreateExperimentSet " + action.name + " of " + action.revision +
           " replicas=" + std::to_string(action.replicas);
  }
  std::string operator()(const CreateExperimentService& action) const {
    return "CreateExperimentService " + action.name;
  }
  std::string operator()(const DeleteService& action) const { return "DeleteService " + action.name; }
  std::string operator()(const ReleaseService& action) const { return "ReleaseService " + action.name; }
  std::string operator()(const ScaleDeployment& action) const {
    return "ScaleDeployment " + action.name + " replicas=" + std::to_string(action.replicas);
  }
  std::string operator()(const DeletePod& action) const { return "DeletePod " + action.name; }
  std::string operator()(const AddFinalizer&) const { return "AddFinalizer"; }
  std::string operator()(const RemoveFinalizer&) const { return "RemoveFinalizer"; }
  std::string operator()(const RemoveAnnotation& action) const {
    return "RemoveAnnotation " + action.key + "=" + action.value;
  }
};

}  // namespace

std::string to_string(const Action& action) { return std::visit(Print{}, action); }

}  // namespace tidegate::rollout
