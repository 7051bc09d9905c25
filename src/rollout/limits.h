// SPDX-License-Identifier: Apache-2.0
// Bounds of this folder, each with its reason. Thread: none; constants.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace tidegate::rollout {

inline constexpr std::int64_t kMaxBackendWeight = 1'000'000;  // HTTPBackendRef.weight's maximum
inline constexpr std::size_t kMaxMatchHeaders = 16;           // HTTPRouteMatch.headers' maximum
inline constexpr std::size_t kMaxRuleFilters = 16;            // HTTPRouteRule.filters' maximum
inline constexpr std::size_t kMaxRuleBackends = 16;           // HTTPRouteRule.backendRefs' maximum
inline constexpr std::size_t kMaxRuleMatches = 64;            // HTTPRouteRule.matches' maximum
inline constexpr std::size_t kMaxRouteMatches = 128;          // of all rules of an HTTPRoute together
inline constexpr std::size_t kHashSize = 10;                  // of a revision: text::safe_hash
inline constexpr std::size_t kMaxHistory = 10;                // entries in status
inline constexpr std::size_t kMaxStepRecords = 20;            // of a rollout; a status stays small
inline constexpr std::size_t kMaxRepairs = 3;  // within kRepairWindow, then the fight is reported
inline constexpr Duration kRepairWindow = std::chrono::seconds(60);
inline constexpr Duration kTick = std::chrono::seconds(1);  // the data plane's counts are refreshed as often
inline constexpr Duration kRecordEvery =
    std::chrono::seconds(5);  // an AnalysisRun is for reading; its Rollout's status is written each second
inline constexpr std::size_t kRecordSuffix = 5;  // tells a retried run from the one before it

}  // namespace tidegate::rollout
