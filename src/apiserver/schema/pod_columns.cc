// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/pod_columns.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apiserver/schema/column_functions.h"

namespace tidegate::apiserver::schema {
namespace {

// Why a container has ended: its reason, else its signal or exit code.
std::string terminated_reason(const Json& terminated) {
  if (auto reason = json::string_at(terminated, "reason"); !reason.empty()) return reason;
  if (const auto signal = json::int_at(terminated, "signal"); signal != 0)
    return "Signal:" + std::to_string(signal);
  return "ExitCode:" + std::to_string(json::int_at(terminated, "exitCode"));
}

// "" where all init containers have succeeded (or there are none).
std::string init_status(const Json& pod) {
  const Json& statuses = json::array_at(pod, "status.initContainerStatuses");
  const auto total = json::array_at(pod, "spec.initContainers").size();
  std::size_t done = 0;
  for (const Json& status : statuses) {
    const Json* terminated = json::find(status, "state.terminated");
    if (terminated && json::int_at(*terminated, "exitCode") == 0) {
      ++done;
      continue;
    }
    if (terminated) return "Init:" + terminated_reason(*terminated);
    const std::string waiting = json::string_at(status, "state.waiting.reason");
    if (!waiting.empty() && waiting != "PodInitializing") return "Init:" + waiting;
    return "Init:" + std::to_string(done) + "/" + std::to_string(total);
  }
  return {};
}

std::string container_status(const Json& pod, std::string reason) {
  bool running = false;
  const Json& statuses = json::array_at(pod, "status.containerStatuses");
  for (auto status = statuses.rbegin(); status != statuses.rend(); ++status) {
    if (const auto waiting = json::string_at(*status, "state.waiting.reason"); !waiting.empty()) {
      reason = waiting;
    } else if (const Json* terminated = json::find(*status, "state.terminated")) {
      reason = terminated_reason(*terminated);
    } else if (json::bool_at(*status, "ready") && json::find(*status, "state.running")) {
      running = true;
    }
  }
  if (reason != "Completed" || !running) return reason;
  for (const Json& condition : json::array_at(pod, "status.conditions")) {
    if (json::string_at(condition, "type") == "Ready" && json::string_at(condition, "status") == "True")
      return "Running";
  }
  return "NotReady";
}

}  // namespace

std::string pod_ready(const Json& pod) {
  std::size_t ready = 0;
  for (const Json& status : json::array_at(pod, "status.containerStatuses")) {
    ready += json::bool_at(status, "ready") && json::find(status, "state.terminated") == nullptr ? 1 : 0;
  }
  return std::to_string(ready) + "/" + std::to_string(json::array_at(pod, "spec.containers").size());
}

std::string pod_status(const Json& pod) {
  std::string reason = json::string_at(pod, "status.phase", "Pending");
  reason = json::string_at(pod, "status.reason", reason);
  const std::string init = init_status(pod);
  reason = init.empty() ? container_status(pod, reason) : init;
  if (json::find(pod, "metadata.deletionTimestamp")) return "Terminating";
  return reason;
}

std::string pod_restarts(const Json& pod, TimePoint now) {
  std::int64_t restarts = 0;
  std::string last;  // RFC 3339 in UTC sorts as text
  for (const Json& status : json::array_at(pod, "status.containerStatuses")) {
    restarts += json::int_at(status, "restartCount");
    last = std::max(last, json::string_at(status, "lastState.terminated.finishedAt"));
  }
  const std::string count = std::to_string(restarts);
  return restarts == 0 || last.empty() ? count : count + " (" + age_of(last, now) + " ago)";
}

}  // namespace tidegate::apiserver::schema
