// SPDX-License-Identifier: Apache-2.0
// Bounds of the one-machine runtime, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace tidegate::local {

using namespace std::chrono_literals;

// Restarts of a container that ends: as kubelet's, but from 1 s, since nothing has to be pulled, and to 60 s,
// since someone sits in front.
inline constexpr Duration kFirstBackOff = 1s;
inline constexpr Duration kMaxBackOff = 60s;
inline constexpr Duration kBackOffReset =
    600s;  // a container that ran this long starts over with the first (kubelet: 10 min)

inline constexpr std::int32_t kMaxCreatesAtOnce = 50;  // pods a reconcile: the rest comes with the next one
inline constexpr std::int32_t kMaxReplicas = 1000;  // of a ReplicaSet: every pod is a process of this machine

inline constexpr Duration kExpectationTimeout =
    30s;  // a pod of ours that the watch has not shown by then is no longer counted

inline constexpr std::size_t kMaxLogLine = 16 * 1024;  // as the container runtime's; longer ones are split
inline constexpr std::size_t kMaxLogFile =
    8 * 1024 * 1024;                                     // then it becomes NAME.old, and an older .old goes
inline constexpr std::size_t kMaxProbeBody = 64 * 1024;  // of a probe's answer; only the status counts
inline constexpr Duration kStopGrace = 5s;               // at most, when the whole runtime stops
inline constexpr std::int32_t kDefaultRevisionHistory = 10;    // as Kubernetes
inline constexpr std::int64_t kDefaultProgressDeadline = 600;  // seconds, as Kubernetes
inline constexpr Duration kNamespacePoll =
    500ms;  // between two looks at what is left in a terminating namespace

}  // namespace tidegate::local
