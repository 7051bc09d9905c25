// SPDX-License-Identifier: Apache-2.0
// What the pods of this machine share. Thread: control. Owns nothing: Runtime does, and outlives the pods.
#pragma once

#include <string>

#include "kube/client.h"
#include "kube/events.h"
#include "local/container_command.h"
#include "local/ip_pool.h"
#include "local/pod_logs.h"

namespace tidegate::local {

struct PodHost {
  asio::io_context& io;
  Scheduler& scheduler;
  kube::Client& client;
  kube::EventRecorder& events;
  PodLogs& logs;
  IpPool& ips;
  std::string node_name;
  CommandOptions command;
  Environment base_environment;  // what every container starts from
};

}  // namespace tidegate::local
