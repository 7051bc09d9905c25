// SPDX-License-Identifier: Apache-2.0
// What a ReplicaSet needs: how many pods to make, which to delete, what its status is. Thread: none; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/core.h"

namespace tidegate::local {

struct ReplicaStatus {
  std::int32_t replicas = 0, ready = 0, available = 0;
  friend bool operator==(const ReplicaStatus&, const ReplicaStatus&) = default;
};

struct ReplicaPlan {
  std::int32_t create = 0;
  std::vector<std::string> remove;  // names of pods: those that are not ready first, then the newest
  ReplicaStatus status;
  std::optional<Duration> recheck;  // when a ready pod becomes an available one
};

// `pods`: those of this set, terminating ones too (they count for nothing). `expected`: creations that `pods`
// does not show yet.
ReplicaPlan plan_replicas(std::int32_t wanted, std::int32_t min_ready_seconds,
                          const std::vector<const api::Pod*>& pods, std::int32_t expected, TimePoint now);

// Ended, or about to: such a pod is replaced.
bool is_active(const api::Pod& pod);

// The Pod of the template in an object of this kind, which owns it.
Json pod_from_template(const api::Resource& kind, const Json& owning, const std::string& name);

}  // namespace tidegate::local
