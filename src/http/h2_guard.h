// SPDX-License-Identifier: Apache-2.0
// Counts what costs a peer nothing and us something, so that an HTTP/2 connection that does nothing else is
// ended. Thread: none; time is an argument.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>

#include "base/clock.h"
#include "http/limits.h"

namespace tidegate::http {

enum class H2Nuisance : std::uint8_t {
  kReset,
  kOwnReset,
  kPing,
  kSettings,
  kEmptyFrame,
  kPriority,
  kWindowUpdate,
  // What is bounded elsewhere, and not over time.
  kContinuation,
  kHeader,  // a head many times too large
  kQueue,   // what nghttp2 would have to keep for the peer
};

class H2Guard {
 public:
  explicit H2Guard(const H2Limits& limits)
      : buckets_{{{limits.resets},
                  {limits.own_resets},
                  {limits.pings},
                  {limits.settings},
                  {limits.empty_frames},
                  {limits.priorities},
                  {limits.window_updates}}} {}

  // False: once too often.
  bool take(H2Nuisance what, SteadyTime now) {
    Bucket& bucket = buckets_[static_cast<std::size_t>(what)];
    const double seconds = std::chrono::duration<double>(now - bucket.since).count();
    bucket.since = now;
    bucket.used = std::max(0.0, bucket.used - seconds * bucket.rate.per_second) + 1;
    return bucket.used <= bucket.rate.burst;
  }
  // Work done that such frames answer.
  void earn(H2Nuisance what, double count) {
    Bucket& bucket = buckets_[static_cast<std::size_t>(what)];
    bucket.used = std::max(0.0, bucket.used - count);
  }

 private:
  struct Bucket {
    Rate rate;
    double used = 0;
    SteadyTime since{};
  };
  std::array<Bucket, 7> buckets_;
};

}  // namespace tidegate::http
