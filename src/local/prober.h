// SPDX-License-Identifier: Apache-2.0
// Probes one container again and again, by real connects, and says when its verdict changes. Thread: control.
// Owns: the attempt under way.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/core.h"
#include "net/task.h"

namespace tidegate::local {

// Folds attempts into a verdict by the thresholds. Pure.
class ProbeCounter {
 public:
  ProbeCounter(const api::Probe& probe, bool verdict)
      : success_threshold_(probe.success_threshold),
        failure_threshold_(probe.failure_threshold),
        verdict_(verdict) {}
  // The verdict, where this attempt turns it.
  std::optional<bool> observe(bool succeeded);
  bool verdict() const { return verdict_; }

 private:
  std::int32_t success_threshold_, failure_threshold_, in_a_row_ = 0;
  bool verdict_, last_ = false;
};

// The number of a container's port by number or name; nullopt where the name is unknown.
std::optional<std::uint16_t> resolve_probe_port(const api::Container& container, const std::string& port);

class Prober {
 public:
  enum class Kind { kReadiness, kLiveness };
  struct Options {
    Kind kind = Kind::kReadiness;
    api::Probe probe;
    std::string ip;
    std::uint16_t port = 0;
  };
  struct Callbacks {
    std::function<void(bool ok)> turned;  // readiness begins with false, liveness with true
    std::function<void(const std::string& why)>
        unhealthy;  // every failed attempt, but for those while it starts
  };
  // Starts at once. A readiness probe asks every 100 ms until the first success or for 10 s, so that what
  // starts fast is used fast.
  Prober(asio::io_context& io, Scheduler& scheduler, Options options, Callbacks callbacks);
  ~Prober();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::local
