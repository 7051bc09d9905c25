// SPDX-License-Identifier: Apache-2.0
// Bounds of the API client and what is built on it, each with its reason. Thread: none; constants.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace tidegate::kube {

using namespace std::chrono_literals;

inline constexpr std::size_t kListPage = 500;          // as kubectl and client-go page
inline constexpr std::size_t kMaxListItems = 200'000;  // past it a server's paging is taken for endless
inline constexpr std::size_t kMaxPageBytes =
    64 << 20;  // 500 objects of etcd's 1.5 MiB would not fit; 500 usual ones do, many times
inline constexpr std::size_t kMaxWatchLine = 8 << 20;  // one object (3 MiB at most) with room for escapes
inline constexpr std::size_t kMaxErrorBody =
    64 << 10;                       // a Status fits; an error page of a gateway in between is cut
inline constexpr int kRetries = 3;  // of a GET that met an unavailable server, and of whatever met 429
inline constexpr Duration kRetryMin = 100ms;  // doubles from here
inline constexpr Duration kRetryMax = 5s;
inline constexpr Duration kMaxRetryAfter =
    30s;  // a server that asks for more is reported as unavailable at once
inline constexpr Duration kWatchMin =
    5min;  // asked of the server, spread so that watches do not end all at once
inline constexpr Duration kWatchMax = 10min;
inline constexpr Duration kWatchGrace = 30s;  // past the asked time-out the connection is taken for dead
inline constexpr Duration kSteadyWatch =
    1s;  // a watch that lasted so long is followed by the next without a wait
inline constexpr int kWatchFailures = 5;  // in a row without an event; then the list is read anew
inline constexpr Duration kTokenAge =
    60s;  // a token file is read again past it; kubelets renew at 80 % of an hour
inline constexpr std::size_t kMaxCredentialBytes = 1 << 20;  // of a file that a kubeconfig names

inline constexpr std::size_t kMaxEventSeries =
    4096;  // remembered for counting up, least recently seen go first; as client-go
inline constexpr double kEventBurst = 25;        // events an object may write at once
inline constexpr Duration kEventRefill = 5s;     // then one each
inline constexpr Duration kEventRetryMin = 1s;   // doubles for a server that is away
inline constexpr Duration kEventRetryMax = 32s;  // the last wait; then the event is lost, and said to be
inline constexpr std::size_t kMaxEventMessage = 1024;  // what the API accepts

inline constexpr Duration kBackoffMin = 50ms;  // of a reconcile that failed
inline constexpr Duration kBackoffMax = 10s;

}  // namespace tidegate::kube
