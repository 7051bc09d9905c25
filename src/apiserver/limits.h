// SPDX-License-Identifier: Apache-2.0
// Bounds of the API server, each with its reason.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace tidegate::apiserver {

inline constexpr std::size_t kMaxChanges =
    10'000;  // kept for watches to resume from: minutes of a busy machine
inline constexpr std::size_t kMaxNameLength = 253;  // RFC 1123 subdomain, as upstream
inline constexpr std::size_t kMaxLabelLength = 63;  // RFC 1123 label, as upstream
inline constexpr std::size_t kMaxPage =
    10'000;  // objects in a page, whatever limit is asked for; more comes by continue
inline constexpr std::size_t kMaxWatches = 5'000;  // descriptors end about there
inline constexpr auto kDefaultWatchTimeout =
    std::chrono::minutes(45);  // clients ask for 5 to 10; kubectl get -w must not end early
inline constexpr auto kBookmarkEvery = std::chrono::seconds(30);

}  // namespace tidegate::apiserver
