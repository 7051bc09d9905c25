// SPDX-License-Identifier: Apache-2.0
// Simulated durations, log-normal as those of many services, and the judge of their quantiles. Thread: one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "metrics/compare.h"

namespace tidegate::judging {

// The median durations of stable and canary, in seconds, at a second of the rollout.
using Medians = std::function<std::array<double, 2>(int second)>;

// 50 requests a second, a tenth of them for the canary, from half time on a half; the judge is asked each
// second. After how many of the canary's requests it is called slower; 0: never.
std::uint64_t requests_until_slow(std::uint64_t seed, const metrics::CompareOptions& options, int seconds,
                                  const Medians& medians);

}  // namespace tidegate::judging
