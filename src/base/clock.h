// SPDX-License-Identifier: Apache-2.0
// Time as an argument (invariant I9). Only base/clock.cc and net's timers know real time; everything else is
// handed a Clock or a Scheduler, and tests hand in tests/support/fake_clock.h.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace tidegate {

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::time_point<std::chrono::system_clock, Duration>;  // wall time, UTC
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual SteadyTime steady_now() const = 0;  // never goes back; for measuring, not for storing
};

// The machine's clock. Thread: any.
const Clock& system_clock();

// Runs callbacks later, on the thread that owns the Scheduler. Thread: its own only.
class Scheduler {
 public:
  // Destroying the handle cancels the callback; nothing runs after that.
  class Timer {
   public:
    virtual ~Timer() = default;
  };

  virtual ~Scheduler() = default;
  virtual const Clock& clock() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Timer> after(Duration delay, std::function<void()> callback) = 0;
  virtual void post(std::function<void()> callback) = 0;  // soon, never from within this call
};

}  // namespace tidegate
