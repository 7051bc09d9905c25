// SPDX-License-Identifier: Apache-2.0
// Keeps one container's process running: starts it, probes it, starts it again with back-off, stops it. Knows
// nothing of the API. Thread: control. Owns: the process, its probes, its log.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "local/pod_host.h"
#include "local/pod_status.h"
#include "local/prober.h"
#include "local/process.h"

namespace tidegate::local {

struct ContainerOptions {
  api::Pod pod;
  std::size_t index = 0;  // of pod.containers
  std::string ip;
  RestartPolicy policy = RestartPolicy::kAlways;
  std::int32_t restarts = 0;  // so far
  std::string folder = "/";
};

class ContainerRunner {
 public:
  struct Callbacks {
    std::function<void()> changed;  // state() is another
    std::function<void(kube::EventRecorder::Type type, std::string_view reason, const std::string& message)>
        event;
  };
  ContainerRunner(PodHost& host, ContainerOptions options, Callbacks callbacks);
  ~ContainerRunner();  // SIGKILL

  void start();
  void stop(Duration grace);  // SIGTERM, after `grace` SIGKILL; it is not started again. A shorter grace than
                              // before counts.
  bool stopped() const;       // after stop(): nothing runs any more
  const ContainerState& state() const { return state_; }

 private:
  void launch();
  Result<void> try_launch();
  void running(int pid);
  void start_probes();
  void exited(Process::Exit exit);
  void wait_to_restart(std::string reason, std::string message);
  void terminate(Duration grace);
  void set_ready(bool ready);
  const api::Container& container() const { return options_.pod.containers[options_.index]; }
  TimePoint now() const { return host_.scheduler.clock().now(); }

  PodHost& host_;
  ContainerOptions options_;
  Callbacks callbacks_;
  ContainerState state_;
  std::int32_t failures_ = 0;  // in a row, for the back-off
  bool stopping_ = false;
  SteadyTime kill_deadline_{};
  std::shared_ptr<LogFile> log_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<Prober> readiness_, liveness_;
  std::unique_ptr<Scheduler::Timer> restart_timer_, kill_timer_;
};

}  // namespace tidegate::local
