// SPDX-License-Identifier: Apache-2.0
// Waits between tries that double and are spread by a seedable generator, so that many clients of a server
// that comes back do not knock together. Not the work queue's back-off, which is per key and exact. Thread:
// its owner's.
#pragma once

#include <cstdint>
#include <random>

#include "base/clock.h"

namespace tidegate::kube {

class Backoff {
 public:
  Backoff(Duration min, Duration max, std::uint64_t seed) : min_(min), max_(max), top_(min), random_(seed) {}

  // First `min`, then between half and all of min * 2^n, never more than `max`.
  Duration next();
  void reset() { top_ = min_; }

 private:
  Duration min_, max_, top_;
  std::mt19937_64 random_;
};

}  // namespace tidegate::kube
