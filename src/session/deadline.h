// SPDX-License-Identifier: Apache-2.0
// A time-out that is moved far more often than it falls due: moving it later costs one look at the clock, as
// the timer beneath stays where it is and is armed anew only when it fires early. Not for precise times.
// Thread: its scheduler's.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"

namespace tidegate::session {

class Deadline {
 public:
  // `expired` may destroy this object.
  Deadline(Scheduler& scheduler, std::function<void()> expired)
      : scheduler_(scheduler), expired_(std::move(expired)) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void set(Duration from_now);
  void clear() { due_.reset(); }
  void stop() {  // and lets go of the timer: the scheduler may be gone before this object is
    due_.reset();
    timer_.reset();
  }

 private:
  void arm(Duration delay, SteadyTime at);
  void fire();

  Scheduler& scheduler_;
  std::function<void()> expired_;
  std::optional<SteadyTime> due_;
  SteadyTime armed_for_;
  std::unique_ptr<Scheduler::Timer> timer_;
};

}  // namespace tidegate::session
