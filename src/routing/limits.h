// SPDX-License-Identifier: Apache-2.0
// Bounds of the routing core, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tidegate::routing {

inline constexpr std::int64_t kRegexMemoryBytes =
    256 * 1024;  // a pattern's program; RE2 refuses larger ones, so no route can eat the heap
inline constexpr std::size_t kRegexBytes =
    4096;  // Gateway API allows 4096 characters in a header match, 1024 in a path
inline constexpr int kMaxRetryAttempts = 10;  // of a rule's retry; more would outlast any client's patience
inline constexpr std::chrono::seconds kStickySeconds =
    std::chrono::hours(30 * 24);  // that a client keeps its place in a split; longer than a rollout takes
inline constexpr std::size_t kTableYamlBytes =
    64 * 1024 * 1024;  // a table read back; 5,000 routes are about 5 MB

}  // namespace tidegate::routing
