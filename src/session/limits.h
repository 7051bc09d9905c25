// SPDX-License-Identifier: Apache-2.0
// Bounds of HTTP connections in both roles, each with its reason.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "http/limits.h"

namespace tidegate::http {
enum class H2Nuisance : std::uint8_t;  // h2_guard.h
}

namespace tidegate::session {

using namespace std::chrono_literals;

// The bounds whose meeting is counted for clients, and told of backends. Those of HTTP/2 stand in the order
// of http::H2Nuisance.
enum class Limit : std::uint8_t {
  kStartLineBytes,
  kHeaderBytes,
  kHeaderTimeout,
  kBodyIdleTimeout,
  kWriteIdleTimeout,
  kTunnelIdleTimeout,
  kHttp2Resets,
  kHttp2OwnResets,
  kHttp2Pings,
  kHttp2Settings,
  kHttp2EmptyFrames,
  kHttp2Priorities,
  kHttp2WindowUpdates,
  kHttp2Continuations,
  kHttp2FloodFactor,
  kHttp2Queue,
  kTlsChatter,
};
// As /metrics names them.
inline constexpr std::array<std::string_view, 17> kLimitNames = {
    "start_line_bytes",     "header_bytes",        "header_timeout",     "body_idle_timeout",
    "write_idle_timeout",   "tunnel_idle_timeout", "http2_resets",       "http2_own_resets",
    "http2_pings",          "http2_settings",      "http2_empty_frames", "http2_priorities",
    "http2_window_updates", "http2_continuations", "http2_flood_factor", "http2_queue",
    "tls_chatter"};
// The bound that a head met which was answered with this status; nullopt: none.
std::optional<Limit> limit_behind(int status);
Limit limit_behind(http::H2Nuisance what);

struct ServerLimits {
  http::Limits http;
  http::H2Limits h2;
  Duration header_timeout = 10s;      // slowloris: from the first byte of a head (or the accept) to its end
  Duration body_idle_timeout = 60s;   // between two reads of a body
  Duration tunnel_idle_timeout = 1h;  // no byte either way; chats ping every minute or so, some never
  Duration keep_alive_timeout = 75s;  // as nginx; Envoy's hour invites descriptor exhaustion
  Duration write_idle_timeout = 60s;  // slow readers: no progress in sending for that long
  Duration tls_timeout = 10s;
  Duration linger_timeout =
      2s;  // for the client to take the last response before its unread bytes would reset the connection
  std::size_t max_connections = 10'000;  // a listener; past it, accepted sockets are closed at once
  std::size_t max_drain_bytes =
      256 * 1024;  // of a request body that nobody wants, before the connection is closed instead
};

struct ClientLimits {
  http::Limits http;
  http::H2Limits h2;
  Duration connect_timeout = 3s;
  Duration idle_timeout =
      50s;  // of a pooled connection; below common keep-alive time-outs of backends (60 s)
  // A backend that is gone without a word is found by a ping, where requests wait and it is silent for
  // ping_after; without an answer in ping_timeout the connection ends. Further pings of the same silence are
  // rarer: gRPC servers end a connection that pings three times within 5 minutes of which they sent nothing.
  Duration ping_after = 20s;
  Duration ping_timeout = 10s;
  Duration ping_again = 6min;
  std::size_t max_connections = 1024;  // an endpoint
  std::size_t max_pending = 1024;      // requests waiting for a connection, an endpoint; more is kOverflow
  std::size_t max_idle = 256;          // pooled connections, an endpoint
};

}  // namespace tidegate::session
