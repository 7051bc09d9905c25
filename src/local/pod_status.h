// SPDX-License-Identifier: Apache-2.0
// A Pod's status computed from the states of its containers. Thread: none; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/condition.h"
#include "base/json.h"

namespace tidegate::local {

enum class RestartPolicy { kAlways, kOnFailure, kNever };
RestartPolicy parse_restart_policy(std::string_view text);  // absent or unknown: Always
bool restarts(RestartPolicy policy, bool succeeded);

struct Termination {
  int exit_code = 0;  // 128 + signal where a signal ended it, as shells and kubelet say it
  int signal = 0;
  std::string reason;  // Completed, Error
  TimePoint started{}, finished{};
};

struct ContainerState {
  enum class Phase { kWaiting, kRunning, kTerminated };
  std::string name, image;
  Phase phase = Phase::kWaiting;
  std::string reason = "ContainerCreating", message;  // while waiting
  TimePoint started{};                                // while running
  std::string id;
  std::optional<Termination> ended;  // the last one; with kTerminated: for good
  std::int32_t restarts = 0;
  bool ready = false;
};

struct PodState {
  std::string ip, host_ip;
  TimePoint started{};
  RestartPolicy policy = RestartPolicy::kAlways;
  std::int64_t generation = 0;
  std::vector<ContainerState> containers;
};

std::string pod_phase(const PodState& pod);  // Pending, Running, Succeeded, Failed
std::vector<api::Condition> pod_conditions(const PodState& pod);

// The whole status. `conditions`: pod_conditions() merged with what was written before, so that transition
// times stay.
Json pod_status(const PodState& pod, const std::vector<api::Condition>& conditions);

// How long to wait before restart number `failures` in a row (1 is the first).
Duration restart_back_off(std::int32_t failures);

}  // namespace tidegate::local
