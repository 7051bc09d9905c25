// SPDX-License-Identifier: Apache-2.0
// Bounds of the data plane, each with its reason. Those of connections are in session/limits.h.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace tidegate::proxy {

using namespace std::chrono_literals;

inline constexpr int kMaxRetries =
    2;  // further sends of a request known to be unsent: one for a stale connection, one for its luck
inline constexpr std::size_t kReplayBytes =
    64 * 1024;  // of a request body, kept until the response begins; larger ones can't be sent again
inline constexpr int kMaxBackoffDoublings =
    3;  // of a rule's wait between attempts: no longer than 8 times it
inline constexpr std::size_t kDiscardBytes =
    64 * 1024;  // of an answer that leads to a retry; a longer one costs its connection
inline constexpr std::size_t kMirrorUnsentBytes =
    64 * 1024;  // of a mirrored body that its backend does not take; then the mirror is dropped
inline constexpr std::size_t kMaxMirrors =
    256;  // mirrored requests under way, a worker; more are not mirrored
inline constexpr Duration kMirrorTimeout = 15s;  // a mirrored request holds its connection no longer
inline constexpr Duration kTunnelLifetime =
    24h;  // of a WebSocket, which pins the table that it began with; clients open another
inline constexpr std::size_t kTunnelBuffer =
    16 * 1024;  // each way, of bytes read and not yet sent: past it, who sends is not read from
inline constexpr std::size_t kUdpSessions =
    4096;  // clients of a UDP port, a worker; each holds a socket to its backend
inline constexpr Duration kUdpIdle =
    60s;  // of a client's UDP session, no datagram either way; what answers later is not waited for
inline constexpr Duration kRefusalLogInterval =
    10s;  // between two lines on clients refused for their certificates, a port and worker; the rest count
inline constexpr Duration kSweepInterval =
    20ms;  // precision of request time-outs; one timer a worker instead of one a request
inline constexpr Duration kSeriesRetention =
    15min;  // of the counts of a route that is gone: several scrapes, then forgotten
inline constexpr std::size_t kCodesPerSeries =
    8;  // distinct status codes a series; a backend that makes them up gets "other"
inline constexpr std::size_t kRequestIdBytes = 128;  // of a client's x-request-id; longer ones are replaced
inline constexpr std::size_t kAccessLogBatch =
    128;  // records a worker collects before it hands them to the writer
inline constexpr Duration kAccessLogDelay = 1s;  // and how long it collects at most
inline constexpr std::size_t kAccessLogBacklog =
    64 * 1024;  // records that wait for a slow disk; more are dropped and counted

}  // namespace tidegate::proxy
