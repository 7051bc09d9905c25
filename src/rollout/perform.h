// SPDX-License-Identifier: Apache-2.0
// Carries out actions through the API. Each write is guarded by the resourceVersion that the decision was
// made on, so that a decision on something old changes nothing (guarantee G9): it fails with kConflict, and
// the next look decides anew. Thread: control.
#pragma once

#include "kube/client.h"
#include "rollout/cluster.h"
#include "rollout/decision.h"

namespace tidegate::rollout {

// The documents, apart from the calls, so that tests can look at them.
Json replica_set_document(const api::Rollout& rollout, const std::string& revision, std::int64_t replicas);
// Of an experiment: pods like those of a ReplicaSet of the Rollout, that no other selector finds.
Json experiment_set_document(const api::Rollout& rollout, const CreateExperimentSet& action,
                             const Json& replica_set);
Json experiment_service_document(const api::Rollout& rollout, const Cluster& cluster,
                                 const std::string& name);
Json service_document(const api::Rollout& rollout, const Cluster& cluster, const EnsureService& action);
Result<Json> route_patch(const SetWeights& action, const api::Rollout& rollout, const Json& route);

// What a RemoveAnnotation leaves of the Rollout is stored in `document`. References outlive the call.
Task<Result<void>> perform(kube::Client& client, Cluster& cluster,
                           std::shared_ptr<const api::Rollout> rollout, Action action, Json& document);

}  // namespace tidegate::rollout
