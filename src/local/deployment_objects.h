// SPDX-License-Identifier: Apache-2.0
// Documents that the Deployment controller writes. Thread: none; pure.
#pragma once

#include <cstdint>
#include <string>

#include "local/deployment_plan.h"

namespace tidegate::local {

inline constexpr std::string_view kTemplateHashLabel = "pod-template-hash";
inline constexpr std::string_view kRevisionAnnotation = "deployment.kubernetes.io/revision";

std::int64_t revision_of(const api::Meta& meta);  // 0: none
std::int32_t wanted_replicas(const Json& replica_set);
SetState set_state(const api::Object& replica_set);

// The ReplicaSet of the present template, with 0 replicas.
Json replica_set_of(const api::Object& deployment, const DeploymentSpec& spec, std::int64_t revision);

// The whole status, with conditions Available and Progressing as `kubectl rollout status` reads them.
// `before`: the status as it stands.
Json deployment_status_json(const api::Object& deployment, const DeploymentSpec& spec,
                            const DeploymentStatus& status, TimePoint now);

}  // namespace tidegate::local
