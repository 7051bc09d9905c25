// SPDX-License-Identifier: Apache-2.0
// Bounds of this folder, each with its reason. Thread: none; constants.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace tidegate::analysis {

inline constexpr Duration kTick = std::chrono::seconds(1);  // the data plane's counts are refreshed as often
inline constexpr std::size_t kMaxTemplateDepth = 5;         // templates of templates; people use two
inline constexpr std::size_t kMaxTemplates = 32;            // of one analysis, resolved at each look
inline constexpr std::size_t kMaxMetrics = 64;              // of one analysis: each is a row in a status
inline constexpr Duration kJobDeadline = std::chrono::minutes(10);  // of a Job that sets none
inline constexpr Duration kJobGrace = std::chrono::seconds(30);     // for Kubernetes to say that it passed
inline constexpr Duration kJobPoll = std::chrono::seconds(2);
inline constexpr Duration kJobKept = std::chrono::hours(24);  // ended, for people to read its logs
inline constexpr std::size_t kMaxJobPrefix = 40;              // a name has 63 characters, ten are a hash
inline constexpr std::size_t kShownValues = 3;                // of a result, in words

}  // namespace tidegate::analysis
