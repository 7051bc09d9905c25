// SPDX-License-Identifier: Apache-2.0
// Connections to one endpoint, kept alive and reused (the most recently used first), for any number of
// requests at once. A request that finds its reused connection closed before any response byte is reported
// `unsent` (streams.h), for the caller to repeat. Thread: its loop's. Owns: its connections. Not: choosing
// endpoints, retrying (proxy/ does both).
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "net/stream.h"
#include "session/limits.h"
#include "session/streams.h"

namespace tidegate::session {

struct Endpoint {
  net::Address address;
  std::shared_ptr<net::TlsContext> tls;  // null: plain
  std::string server_name;               // SNI and identity, with tls
  bool h2 = false;                       // speak HTTP/2 with prior knowledge
};

// What a failed attempt to connect means to a request.
StreamError connect_failure(const Error& error);

class H2Pool;

// Which connection a request may go over. kNew: none that carried another one before; idle ones close, as
// stale connections come in packs (a backend that restarted).
enum class Connections { kAny, kNew };

class ClientPool {
 public:
  ClientPool(asio::io_context& io, Scheduler& scheduler, Endpoint endpoint, ClientLimits limits);
  ~ClientPool();  // idle connections close; streams under way end with on_error(kCancelled)

  // Sends the head at once or as soon as a connection stands. `end`: no body follows. `events` must outlive
  // the stream. Time-outs of responses are the caller's: destroy the stream. Returns never null; failures
  // come by on_error, never from within this call.
  std::unique_ptr<ClientStream> request(const http::RequestHead& head, bool end, ClientStreamEvents& events,
                                        Connections which = Connections::kAny);

  void close_idle();  // now; connections in use close after their response
  std::size_t connections() const;
  std::size_t active() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::shared_ptr<H2Pool> h2_;  // null: HTTP/1
};

}  // namespace tidegate::session
