// SPDX-License-Identifier: Apache-2.0
// Gathers changes that come in groups: runs its callback a while after the last one, but never later than a
// bound after the first, and not before it has rested twice as long as the callback took: however much there
// is, it gets a third of the thread. Thread: the scheduler's. Owns: its timer.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"

namespace tidegate::gateway {

class HoldOff {
 public:
  HoldOff(Scheduler& scheduler, Duration delay, Duration most, std::function<void()> callback)
      : scheduler_(scheduler), delay_(delay), most_(most), callback_(std::move(callback)) {}

  void trigger();
  void cancel() { timer_.reset(), first_.reset(); }
  bool pending() const { return first_.has_value(); }

 private:
  static constexpr int kRest = 2;
  void arm();
  void run();

  Scheduler& scheduler_;
  Duration delay_, most_;
  std::function<void()> callback_;
  std::optional<SteadyTime> first_;
  SteadyTime rested_{};  // when it has
  std::unique_ptr<Scheduler::Timer> timer_;
};

}  // namespace tidegate::gateway
