// SPDX-License-Identifier: Apache-2.0
// Bounds of this folder, each with its reason. Thread: none; constants.
#pragma once

#include <cstddef>

namespace tidegate::metrics {

inline constexpr std::size_t kMaxExpressionBytes = 4096;  // people write one line; etcd need not hold more
inline constexpr int kMaxExpressionDepth = 64;            // the parser recurses
inline constexpr std::size_t kMaxExpressionNodes = 1024;  // evaluated once a measurement

}  // namespace tidegate::metrics
