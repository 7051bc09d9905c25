// SPDX-License-Identifier: Apache-2.0
#include "gateway/hold_off.h"

#include <algorithm>

namespace tidegate::gateway {

void HoldOff::trigger() {
  if (!first_) first_ = scheduler_.clock().steady_now();
  arm();
}

void HoldOff::arm() {
  const SteadyTime now = scheduler_.clock().steady_now();
  const SteadyTime at = std::max(std::min(now + delay_, *first_ + most_), rested_);
  timer_ = scheduler_.after(std::max(Duration(0), at - now), [this] {
    // Set from within a run, it did not know yet how long that would take.
    scheduler_.clock().steady_now() < rested_ ? arm() : run();
  });
}

void HoldOff::run() {
  first_.reset();
  const SteadyTime began = scheduler_.clock().steady_now();
  callback_();
  const SteadyTime ended = scheduler_.clock().steady_now();
  rested_ = ended + kRest * (ended - began);
}

}  // namespace tidegate::gateway
