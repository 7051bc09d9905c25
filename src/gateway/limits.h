// SPDX-License-Identifier: Apache-2.0
// Bounds of the gateway controller, each with its reason.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace tidegate::gateway {

inline constexpr std::size_t kProblemsInMessage =
    8;  // a condition's message may hold 32768 characters; people read a few
inline constexpr std::size_t kValueInMessage = 256;  // characters of a user's value that a message repeats
inline constexpr std::size_t kMessageBytes =
    16384;  // half of what the CRDs allow, in case characters count double
inline constexpr std::size_t kParentsInStatus = 32;    // HTTPRoute.status.parents, says the CRD
inline constexpr std::size_t kAncestorsInStatus = 16;  // BackendTLSPolicy.status.ancestors, says the CRD
inline constexpr std::size_t kPoolScan =
    1 << 20;  // addresses tried for a Gateway; larger pools are used up to there
inline constexpr std::size_t kEndpointsInBackend =
    5000;                                // a Service that large belongs behind its own balancer
inline constexpr Duration kHoldOff{10};  // after a change: most come in groups (a Service and its slices)
inline constexpr Duration kHoldOffMost{
    100};  // under steady change a table is still published ten times a second
inline constexpr Duration kAwaitProxies{
    100};  // statuses wait so long for the proxies, so that one write tells both
inline constexpr std::size_t kStatusWriters = 8;  // status writes under way at a time and kind

}  // namespace tidegate::gateway
