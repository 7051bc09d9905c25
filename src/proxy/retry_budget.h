// SPDX-License-Identifier: Apache-2.0
// How many requests to one backend a worker may send again, so that retries can't multiply the load of a
// backend in trouble: a share of the requests of the last ten seconds, and a few each second whatever the
// traffic (as GEP-3388 has it). Pure; time is an argument. Thread: its worker's.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"

namespace tidegate::proxy {

struct RetrySettings {
  int budget_percent = 20;  // of requests; GEP-3388's default
  int min_per_second = 10;  // of all workers together, rounded up for each; GEP-3388's default
};

class RetryBudget {
 public:
  static constexpr std::int64_t kSeconds = 10;  // GEP-3388's default interval

  void request(SteadyTime now) { ++at(now).requests; }  // the first send of one
  // Whether a retry may be sent now; if so it is counted.
  bool take(SteadyTime now, const RetrySettings& settings);

 private:
  struct Second {
    std::int64_t number = -1;
    std::uint32_t requests = 0, retries = 0;
  };
  Second& at(SteadyTime now);
  std::array<Second, kSeconds> seconds_;
};

}  // namespace tidegate::proxy
