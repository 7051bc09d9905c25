// SPDX-License-Identifier: Apache-2.0
// Bounds of this folder, each with its reason. Thread: none; constants.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace tidegate::analysis {

inline constexpr Duration kTick = std::chrono::seconds(1);  // the data plane's counts are refreshed as often
inline constexpr std::size_t kShownValues = 3;              // of a result, in words

}  // namespace tidegate::analysis
