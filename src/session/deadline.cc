// SPDX-License-Identifier: Apache-2.0
#include "session/deadline.h"

namespace tidegate::session {

void Deadline::set(Duration from_now) {
  due_ = scheduler_.clock().steady_now() + from_now;
  if (!timer_ || *due_ < armed_for_) arm(from_now, *due_);
}

void Deadline::arm(Duration delay, SteadyTime at) {
  armed_for_ = at;
  timer_ = scheduler_.after(delay, [this] { fire(); });
}

void Deadline::fire() {
  timer_.reset();
  if (!due_) return;
  const SteadyTime now = scheduler_.clock().steady_now();
  if (now < *due_) return arm(*due_ - now, *due_);
  due_.reset();
  const auto expired = expired_;  // a copy, as the call may end this object
  expired();
}

}  // namespace tidegate::session
