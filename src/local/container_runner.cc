// SPDX-License-Identifier: Apache-2.0
#include "local/container_runner.h"

#include <signal.h>

#include <algorithm>

#include "base/text.h"
#include "local/limits.h"

namespace tidegate::local {

using EventType = kube::EventRecorder::Type;
using Phase = ContainerState::Phase;

ContainerRunner::ContainerRunner(PodHost& host, ContainerOptions options, Callbacks callbacks)
    : host_(host), options_(std::move(options)), callbacks_(std::move(callbacks)) {
  state_.name = container().name;
  state_.image = container().image;
  state_.restarts = options_.restarts;
}

ContainerRunner::~ContainerRunner() = default;

void ContainerRunner::start() { launch(); }

bool ContainerRunner::stopped() const { return stopping_ && !process_; }

void ContainerRunner::launch() {
  if (stopping_) return;
  restart_timer_.reset();
  if (const auto launched = try_launch(); !launched) {
    const bool no_image = launched.error().code == ErrorCode::kNotFound;
    const std::string reason = no_image ? "ErrImageNotFound" : "CreateContainerError";
    if (state_.message != launched.error().detail)
      callbacks_.event(EventType::kWarning, "Failed", launched.error().detail);
    ++failures_;
    wait_to_restart(reason, launched.error().detail);
  }
}

Result<void> ContainerRunner::try_launch() {
  auto environment =
      container_environment(options_.pod, container(), options_.ip, host_.node_name, host_.base_environment);
  if (!environment) return environment.error();
  environment->emplace("HOSTNAME", options_.pod.meta.name);
  environment->emplace("POD_IP", options_.ip);  // where to listen: all pods share the wildcard
  auto command = container_command(container(), *environment, host_.command);
  if (!command) return command.error();
  auto log = host_.logs.open(options_.pod.meta.ns, options_.pod.meta.name, container().name);
  if (!log) return log.error();
  log_ = *log;

  Process::Options what{*std::move(command), *std::move(environment), options_.folder};
  Process::Callbacks calls;
  calls.output = [this](std::string_view bytes) { log_->append(bytes, now()); };
  calls.exited = [this](Process::Exit exit) { exited(exit); };
  auto process = Process::start(host_.io, what, std::move(calls));
  if (!process) return process.error();
  process_ = *std::move(process);
  running(process_->pid());
  return {};
}

void ContainerRunner::running(int pid) {
  state_.phase = Phase::kRunning;
  state_.started = now();
  state_.id = "process://" + std::to_string(pid);
  state_.message.clear();
  state_.ready = !container().readiness;
  callbacks_.event(EventType::kNormal, "Started", "Started container " + state_.name);
  start_probes();
  callbacks_.changed();
}

void ContainerRunner::start_probes() {
  const auto make = [this](const api::Probe& probe, Prober::Kind kind,
                           std::function<void(bool)> turned) -> std::unique_ptr<Prober> {
    const std::string name = kind == Prober::Kind::kReadiness ? "Readiness" : "Liveness";
    const auto port = resolve_probe_port(container(), probe.port);
    if (!port) {
      callbacks_.event(EventType::kWarning, "Unhealthy",
                       name + " probe names port \"" + probe.port + "\", which the container does not have");
      return nullptr;
    }
    Prober::Callbacks calls;
    calls.turned = std::move(turned);
    calls.unhealthy = [this, name](const std::string& why) {
      callbacks_.event(EventType::kWarning, "Unhealthy", name + " probe failed: " + why);
    };
    return std::make_unique<Prober>(host_.io, host_.scheduler,
                                    Prober::Options{kind, probe, options_.ip, *port}, std::move(calls));
  };
  if (container().readiness) {
    readiness_ = make(*container().readiness, Prober::Kind::kReadiness, [this](bool ok) { set_ready(ok); });
  }
  if (container().liveness) {
    liveness_ = make(*container().liveness, Prober::Kind::kLiveness, [this](bool ok) {
      if (ok || stopping_) return;
      callbacks_.event(EventType::kNormal, "Killing",
                       "Container " + state_.name + " failed its liveness probe, will be restarted");
      terminate(std::chrono::seconds(options_.pod.termination_grace_seconds));
    });
  }
}

void ContainerRunner::set_ready(bool ready) {
  if (state_.ready == ready) return;
  state_.ready = ready;
  callbacks_.changed();
}

void ContainerRunner::exited(Process::Exit exit) {
  process_.reset();
  readiness_.reset();
  liveness_.reset();
  kill_timer_.reset();
  if (log_) log_->finish(now());
  log_.reset();
  state_.ready = false;
  Termination ended;
  ended.exit_code = exit.code;
  ended.signal = exit.signal;
  ended.reason = exit.code == 0 ? "Completed" : "Error";
  ended.started = state_.started;
  ended.finished = now();
  state_.ended = ended;
  if (stopping_ || !restarts(options_.policy, exit.code == 0)) {
    state_.phase = Phase::kTerminated;
    return callbacks_.changed();
  }
  failures_ = ended.finished - ended.started >= kBackOffReset ? 1 : failures_ + 1;
  ++state_.restarts;
  const Duration delay = restart_back_off(failures_);
  const std::string message =
      "back-off " + text::format_duration(delay) + " restarting failed container=" + state_.name +
      " pod=" + api::to_string(options_.pod.meta.key()) + " (exit code " + std::to_string(exit.code) + ")";
  callbacks_.event(EventType::kWarning, "BackOff",
                   "Back-off restarting container " + state_.name + " in pod " + options_.pod.meta.name);
  wait_to_restart("CrashLoopBackOff", message);
}

void ContainerRunner::wait_to_restart(std::string reason, std::string message) {
  state_.phase = Phase::kWaiting;
  state_.reason = std::move(reason);
  state_.message = std::move(message);
  restart_timer_ = host_.scheduler.after(restart_back_off(failures_), [this] { launch(); });
  callbacks_.changed();
}

// Called again and again while a pod is being deleted: SIGTERM is sent once, and a later deadline never
// replaces an earlier one.
void ContainerRunner::terminate(Duration grace) {
  if (!process_) return;
  const SteadyTime deadline = host_.scheduler.clock().steady_now() + grace;
  if (kill_timer_ && deadline >= kill_deadline_) return;
  if (!kill_timer_) process_->signal(SIGTERM);
  kill_deadline_ = deadline;
  kill_timer_ = host_.scheduler.after(grace, [this] {
    if (process_) process_->signal(SIGKILL);
  });
}

void ContainerRunner::stop(Duration grace) {
  const bool first = !stopping_;
  stopping_ = true;
  restart_timer_.reset();
  liveness_.reset();  // readiness goes on: a terminating endpoint may still be serving
  if (!process_) {
    // It never ran, or waits for its restart: ended as far as the status can say.
    if (state_.phase == Phase::kWaiting && state_.ended) state_.phase = Phase::kTerminated;
    if (first) callbacks_.changed();
    return;
  }
  if (first) callbacks_.event(EventType::kNormal, "Killing", "Stopping container " + state_.name);
  terminate(grace);
}

}  // namespace tidegate::local
