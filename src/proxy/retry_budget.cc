// SPDX-License-Identifier: Apache-2.0
#include "proxy/retry_budget.h"

namespace tidegate::proxy {

RetryBudget::Second& RetryBudget::at(SteadyTime now) {
  const std::int64_t number =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  Second& second = seconds_[static_cast<std::size_t>(number % kSeconds)];
  if (second.number != number) second = {number};
  return second;
}

bool RetryBudget::take(SteadyTime now, const RetrySettings& settings) {
  Second& current = at(now);
  std::uint64_t requests = 0, retries = 0;
  for (const Second& second : seconds_) {
    if (second.number <= current.number - kSeconds) continue;
    requests += second.requests;
    retries += second.retries;
  }
  const bool within_share =
      (retries + 1) * 100 <= requests * static_cast<std::uint64_t>(settings.budget_percent);
  if (!within_share && current.retries >= static_cast<std::uint32_t>(settings.min_per_second)) return false;
  ++current.retries;
  return true;
}

}  // namespace tidegate::proxy
