// SPDX-License-Identifier: Apache-2.0
#include "local/pod_status.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "local/limits.h"

namespace tidegate::local {
namespace {

using Phase = ContainerState::Phase;

Json encode(const Termination& ended) {
  Json out = {{"exitCode", ended.exit_code},
              {"reason", ended.reason},
              {"startedAt", text::format_time(ended.started)},
              {"finishedAt", text::format_time(ended.finished)}};
  if (ended.signal != 0) out["signal"] = ended.signal;
  return {{"terminated", out}};
}

Json encode_state(const ContainerState& container) {
  switch (container.phase) {
    case Phase::kWaiting: {
      Json waiting = {{"reason", container.reason}};
      if (!container.message.empty()) waiting["message"] = container.message;
      return {{"waiting", waiting}};
    }
    case Phase::kRunning:
      return {{"running", {{"startedAt", text::format_time(container.started)}}}};
    case Phase::kTerminated:
      return encode(container.ended.value_or(Termination{}));
  }
  return Json::object();
}

Json encode(const ContainerState& container) {
  Json out = {{"name", container.name},
              {"image", container.image},
              {"imageID", ""},
              {"ready", container.ready},
              {"started", container.phase == Phase::kRunning},
              {"restartCount", container.restarts},
              {"state", encode_state(container)},
              {"lastState", Json::object()}};
  if (!container.id.empty()) out["containerID"] = container.id;
  if (container.ended && container.phase != Phase::kTerminated) out["lastState"] = encode(*container.ended);
  return out;
}

bool has_run(const ContainerState& container) {
  return container.phase != Phase::kWaiting || container.ended.has_value() || container.restarts > 0;
}

std::vector<std::string> unready_names(const PodState& pod) {
  std::vector<std::string> out;
  for (const auto& container : pod.containers) {
    if (!container.ready) out.push_back(container.name);
  }
  return out;
}

}  // namespace

RestartPolicy parse_restart_policy(std::string_view text) {
  if (text == "Never") return RestartPolicy::kNever;
  if (text == "OnFailure") return RestartPolicy::kOnFailure;
  return RestartPolicy::kAlways;
}

bool restarts(RestartPolicy policy, bool succeeded) {
  switch (policy) {
    case RestartPolicy::kAlways:
      return true;
    case RestartPolicy::kOnFailure:
      return !succeeded;
    case RestartPolicy::kNever:
      return false;
  }
  return true;
}

std::string pod_phase(const PodState& pod) {
  const auto is_over = [](const ContainerState& c) { return c.phase == Phase::kTerminated; };
  if (!pod.containers.empty() && std::all_of(pod.containers.begin(), pod.containers.end(), is_over)) {
    const bool all_well =
        std::all_of(pod.containers.begin(), pod.containers.end(),
                    [](const ContainerState& c) { return c.ended && c.ended->exit_code == 0; });
    return all_well ? "Succeeded" : "Failed";
  }
  return std::all_of(pod.containers.begin(), pod.containers.end(), has_run) && !pod.containers.empty()
             ? "Running"
             : "Pending";
}

std::vector<api::Condition> pod_conditions(const PodState& pod) {
  const auto unready = unready_names(pod);
  const bool ready = unready.empty() && !pod.containers.empty();
  const std::string status = ready ? "True" : "False";
  const std::string reason = ready ? "" : "ContainersNotReady";
  const std::string message =
      ready ? "" : "containers with unready status: [" + text::join(unready, " ") + "]";
  return {{"PodScheduled", "True", "", "", 0},
          {"Initialized", "True", "", "", 0},
          {"ContainersReady", status, reason, message, 0},
          {"Ready", status, reason, message, 0}};
}

Json pod_status(const PodState& pod, const std::vector<api::Condition>& conditions) {
  Json containers = Json::array();
  for (const auto& container : pod.containers) containers.push_back(encode(container));
  Json out = {{"phase", pod_phase(pod)},
              {"conditions", api::encode_conditions(conditions)},
              {"containerStatuses", containers},
              {"qosClass", "BestEffort"},
              {"startTime", text::format_time(pod.started)}};
  if (!pod.host_ip.empty()) out["hostIP"] = pod.host_ip;
  if (!pod.ip.empty()) {
    out["podIP"] = pod.ip;
    out["podIPs"] = Json::array({{{"ip", pod.ip}}});
  }
  return out;
}

Duration restart_back_off(std::int32_t failures) {
  Duration wait = kFirstBackOff;
  for (std::int32_t i = 1; i < failures && wait < kMaxBackOff; ++i) wait *= 2;
  return std::min(wait, kMaxBackOff);
}

}  // namespace tidegate::local
