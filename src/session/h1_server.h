// SPDX-License-Identifier: Apache-2.0
// Server side of one HTTP/1.1 connection: bytes of a net::Stream to requests for a RequestHandler, one at a
// time (pipelined ones wait), and responses back. Keeps alive, answers malformed input itself, enforces the
// time-outs of ServerLimits. Thread: its loop's. Owns: the stream and its buffers; it owns itself until the
// connection ends.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "net/stream.h"
#include "session/limits.h"
#include "session/streams.h"

namespace tidegate::session {

// A connection that its server may drain or cut.
class ServerConnection {
 public:
  virtual ~ServerConnection() = default;
  virtual void
  drain() = 0;  // finish the response under way with Connection: close, then close; idle ones close now
  virtual void close() = 0;  // now
  virtual bool idle() const = 0;
};

struct ServerOptions {
  std::string_view scheme = "http";
  const ServerLimits* limits = nullptr;  // outlives the connection
  RequestHandler* handler = nullptr;     // outlives the connection
  Scheduler* scheduler = nullptr;
  std::function<void(ServerConnection*)> closed;  // last call; the connection is destroyed after it
  std::string_view received = {};  // bytes read before the protocol was known; taken during the call
};
using H1ServerOptions = ServerOptions;

std::shared_ptr<ServerConnection> serve_h1(std::unique_ptr<net::Stream> stream, H1ServerOptions options);

}  // namespace tidegate::session
