// SPDX-License-Identifier: Apache-2.0
// The two interfaces that an exchange of one request and one response sees, whatever the protocol:
// ServerStream towards a client, ClientStream towards a backend, each with the events that come back. The
// proxy joins the two; the API server, the admin port and the Kubernetes client use the simpler faces in
// http_server.h and http_client.h, which sit on the same streams.
//
// Thread: all on one loop. Events are never called from within a call that the receiver makes on the stream,
// save where said. Back-pressure: the sender watches unsent_bytes() against kHighWater and waits for
// on_writable(); the receiver calls pause() and resume().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"
#include "session/limits.h"

namespace tidegate::session {

inline constexpr std::size_t kLowWater = 32 * 1024;   // on_writable() comes when unsent bytes fall to this
inline constexpr std::size_t kHighWater = 64 * 1024;  // stop sending above this

enum class StreamError : std::uint8_t {
  kNone,
  kConnectRefused,
  kConnectTimeout,
  kTls,
  kReset,        // the peer closed or reset before the message was complete
  kTimeout,      // a deadline of this stream passed
  kProtocol,     // the peer broke HTTP
  kOverflow,     // a bound of ours: pool, pending queue
  kCancelled,    // we ended it
  kUnsupported,  // the backend's connection can't carry this (a WebSocket over HTTP/2 that it does not offer)
  kRefused,      // the backend says that it did nothing of it (RFC 9113 section 8.7): may be sent again
};
const char* to_string(StreamError error);

// ---- server side ----

// What a client does after its request head was delivered. on_abort is final; after on_end only on_writable
// and on_abort can follow.
class ServerStreamEvents {
 public:
  virtual ~ServerStreamEvents() = default;
  virtual void on_data(std::string_view data) = 0;         // request body; views are valid during the call
  virtual void on_end(const http::Headers& trailers) = 0;  // request complete
  virtual void on_writable() = 0;                          // unsent_bytes() fell to kLowWater
  virtual void on_abort(
      StreamError error) = 0;  // the client is gone, or broke the protocol; nothing can be sent any more
};

// Lives until the response is complete and the request is consumed, or until abort; held by shared_ptr so
// that a late call is harmless: all calls after the end do nothing.
class ServerStream {
 public:
  virtual ~ServerStream() = default;

  // Before any other call. `events` must outlive the stream or be replaced by nullptr (then the rest of the
  // request is drained, bounded).
  virtual void set_events(ServerStreamEvents* events) = 0;

  virtual void send_continue() = 0;  // 100, once, where the client asked for it
  virtual void send_head(const http::ResponseHead& head, bool end) = 0;  // `end`: no body follows
  // After a head with status 101 what is sent and what comes are bytes of the new protocol, until send_end()
  // and on_end(), or reset() and on_abort().
  virtual void send_data(std::string_view data) = 0;  // copied or written at once
  virtual void send_end(const http::Headers& trailers = {}) = 0;
  // Ends a response that can't be completed so that the client can tell (RFC 9112 section 8): the connection
  // or stream is cut.
  virtual void reset() = 0;

  virtual std::size_t unsent_bytes() const = 0;
  virtual void pause() = 0;  // stop reading the request body
  virtual void resume() = 0;

  virtual const std::string& client_address() const = 0;    // "127.0.0.1:51234"
  virtual std::string_view client_common_name() const = 0;  // of a verified client certificate
  virtual std::string_view server_name() const = 0;         // SNI
};

// Called for each request of each connection, with its head, which stays where it is until the response is
// complete, on_abort() or reset(); it may be changed, and moved from. The callee keeps the stream and calls
// set_events() before returning.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  virtual void on_request(http::RequestHead& head, bool expects_continue,
                          std::shared_ptr<ServerStream> stream) = 0;
  // A request that never became one was answered by the session itself (400, 408, 414, 431, 505): for
  // counters and logs only.
  virtual void on_refused(int status) = 0;
  virtual void on_limit(Limit) {}  // a client met this bound; what follows from it is told as ever
};

// ---- client side ----

class ClientStreamEvents {
 public:
  virtual ~ClientStreamEvents() = default;
  // Final responses only; 1xx are dropped (101 is final). `head` may be changed, and moved from.
  virtual void on_head(http::ResponseHead& head) = 0;
  // After 101, which comes only to a request with an Upgrade field: bytes of the new protocol, both ways.
  virtual void on_data(std::string_view data) = 0;
  virtual void on_end(const http::Headers& trailers) = 0;  // final; the stream is done
  virtual void on_writable() = 0;
  // Final. `unsent`: not a byte of the request reached the backend, or the connection was a reused one that
  // closed before answering: safe to send again if nothing of the body is gone.
  virtual void on_error(StreamError error, bool unsent, std::string_view detail) = 0;
};

class ClientStream {
 public:
  virtual ~ClientStream() = default;  // destroying an unfinished stream cancels it; no event comes after that
  virtual void send_data(std::string_view data) = 0;
  virtual void send_end(const http::Headers& trailers = {}) = 0;
  virtual std::size_t unsent_bytes() const = 0;
  virtual void pause() = 0;  // stop reading the response body
  virtual void resume() = 0;
};

}  // namespace tidegate::session
