// SPDX-License-Identifier: Apache-2.0
// How many replicas each ReplicaSet of a Deployment should have now: a rolling update within maxSurge and
// maxUnavailable, or Recreate. Thread: none; pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/object.h"

namespace tidegate::local {

struct DeploymentSpec {
  std::int32_t replicas = 1;
  std::int32_t max_surge = 1, max_unavailable = 0;  // absolute, never both 0
  bool recreate = false, paused = false;
  std::int32_t min_ready_seconds = 0;
  std::int32_t revision_history = 10;
  std::int64_t progress_deadline_seconds = 600;
  std::string template_hash;
};
// Percentages are of replicas: surge rounded up, unavailable rounded down, 25% each where absent.
DeploymentSpec decode_deployment_spec(const Json& deployment);

struct SetState {
  std::string name;
  std::int32_t replicas = 0;  // spec
  std::int32_t current = 0;   // status.replicas
  std::int32_t ready = 0, available = 0;
  TimePoint created{};
};

struct Scale {
  std::string name;
  std::int32_t replicas = 0;
  friend bool operator==(const Scale&, const Scale&) = default;
};

// Only what should change. `fresh` is the ReplicaSet of the present template. Calling it again with the
// outcome converges.
std::vector<Scale> plan_rollout(const DeploymentSpec& spec, const SetState& fresh,
                                const std::vector<SetState>& old);

struct DeploymentStatus {
  std::int32_t replicas = 0, updated = 0, ready = 0, available = 0;
  bool complete = false;  // all are of the present template and available, and no other is left
  bool available_enough = false;
};
DeploymentStatus deployment_status(const DeploymentSpec& spec, const SetState& fresh,
                                   const std::vector<SetState>& old);

}  // namespace tidegate::local
