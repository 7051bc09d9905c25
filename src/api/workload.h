// SPDX-License-Identifier: Apache-2.0
// The three forms of a Rollout's workload: whose pods, what makes a revision. A fourth is an alternative
// here, its decoding, and its functions in rollout/workload.h; the compiler lists the rest. Thread: none;
// plain values.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <variant>

#include "api/field_reader.h"

namespace tidegate::api {

// A pod template in the Rollout: a revision is its hash, the ReplicaSets are the Rollout's.
struct PodTemplate {};

// The pod template of a Deployment, which people go on editing; ReplicaSets as above.
struct WorkloadRef {
  enum class ScaleDown { kNever, kOnSuccess, kProgressively };
  std::string name;
  ScaleDown scale_down = ScaleDown::kNever;
};

// No pods of ours: two Services, one of them stable. A revision is what people call it.
struct ServiceSlots {
  std::array<std::string, 2> slots;
  std::string revision;
};

using Workload = std::variant<PodTemplate, WorkloadRef, ServiceSlots>;
Workload decode_workload(const FieldReader& spec);

// Of spec.template. Never null: an empty object where there is none.
std::shared_ptr<const Json> decode_pod_template(const FieldReader& holder);

}  // namespace tidegate::api
