// SPDX-License-Identifier: Apache-2.0
// The one-machine stand-in for a cluster's node and controller manager: pods as local processes, and the
// small controllers that Kubernetes users take for granted: Deployment, ReplicaSet, EndpointSlice, namespace
// life cycle, garbage collection by owner references. Everything goes through the API like any other client.
// Thread: control. Owns: the processes; they die with it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "apiserver/server.h"
#include "kube/client.h"

namespace tidegate::local {

class Runtime {
 public:
  struct Options {
    std::string log_dir;                     // one file a container
    std::string pod_cidr = "127.78.0.0/16";  // an address a pod, so that every pod has all ports to itself
    // The image "tidegate.dev/demo-app" (any tag) runs this program as `tidegate demo-app`. Other images:
    // command[0] must be a program of this machine, else the pod stays Pending with a reason that says so.
    std::string self_program;
    std::map<std::string, std::string> images;  // others that run, by name without tag: their programs
    std::string node_name = "local";
  };
  Runtime(asio::io_context& io, Scheduler& scheduler, kube::Client& client, Options options);
  ~Runtime();  // SIGKILLs what is left

  void start();
  Task<void> stop();  // SIGTERM to all, their grace periods at most 5 s, SIGKILL
  apiserver::LogSource& logs();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::local
