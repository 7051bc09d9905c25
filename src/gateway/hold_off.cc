// SPDX-License-Identifier: Apache-2.0
#include "gateway/hold_off.h"

#include <algorithm>

namespace tidegate::gateway {

void HoldOff::trigger() {
  const SteadyTime now = scheduler_.clock().steady_now();
  if (!first_) first_ = now;
  const Duration left = std::max(Duration(0), *first_ + most_ - now);
  timer_ = scheduler_.after(std::min(delay_, left), [this] {
    first_.reset();
    callback_();
  });
}

}  // namespace tidegate::gateway
