// SPDX-License-Identifier: Apache-2.0
#include "app/traffic.h"

namespace tidegate::app {
namespace {

// Hundreds of Rollouts that look within the same moment share one reading.
constexpr Duration kFreshFor = std::chrono::milliseconds(20);

}  // namespace

const metrics::TrafficCounts& LocalTraffic::counts() const {
  const SteadyTime now = clock_.steady_now();
  if (!read_at_ || now - *read_at_ >= kFreshFor) {
    counts_ = proxy_.traffic();
    read_at_ = now;
  }
  return counts_;
}

}  // namespace tidegate::app
