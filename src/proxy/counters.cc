// SPDX-License-Identifier: Apache-2.0
#include "proxy/counters.h"

#include <algorithm>

namespace tidegate::proxy {

void CodeCounts::add(int code) {
  for (Entry& entry : entries_) {
    const int seen = entry.code.load(std::memory_order_relaxed);
    if (seen != code && seen != 0) continue;
    entry.count.add();
    if (seen == 0) entry.code.store(code, std::memory_order_release);
    return;
  }
  other_.add();
}

void BackendCell::record(int code, FailureReason failure, Duration duration) {
  codes.add(code);
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto& bounds = metrics::kDurationBounds;
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  durations[static_cast<std::size_t>(bucket)].add();
  duration_milliseconds.add(duration.count());
  if (failure != FailureReason::kNone) failures[static_cast<std::size_t>(failure)].add();
  if (failure != FailureReason::kNone || code >= 500) failed.add();
}

}  // namespace tidegate::proxy
