// SPDX-License-Identifier: Apache-2.0
// One HTTP/2 connection in either role, sans I/O (RFC 9113), over nghttp2: bytes in, events out; calls in,
// bytes out. Strict as the HTTP/1 decoder is: what breaks RFC 9113 section 8 never becomes an event. Bounded
// by Limits and H2Limits: a peer that floods is told ENHANCE_YOUR_CALM and finished() holds. Thread: none;
// time is an argument. Owns: unsent bodies. Not: time-outs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/limits.h"
#include "http/message.h"

namespace tidegate::http {

using H2StreamId = std::int32_t;

// RFC 9113 section 7. Others than those named may come from a peer.
enum class H2Code : std::uint32_t {
  kNoError = 0,
  kProtocol = 1,
  kInternal = 2,
  kFlowControl = 3,
  kStreamClosed = 5,
  kRefused = 7,
  kCancel = 8,
  kCalm = 11,
};

inline constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum class H2Nuisance : std::uint8_t;  // h2_guard.h

class H2Session {
 public:
  enum class Role : std::uint8_t { kServer, kClient };

  // Called from within receive() and produce(). What is called back may call anything but those two.
  class Events {
   public:
    virtual ~Events() = default;
    virtual void on_request(H2StreamId, RequestHead, bool /*expects_continue*/) {}  // server
    virtual void on_refused(H2StreamId, int /*status*/) {}  // server: answered, or reset, by the session
    virtual void on_response(H2StreamId, ResponseHead) {}   // client: final ones only
    virtual void on_data(H2StreamId stream, std::string_view data) = 0;
    virtual void on_end(H2StreamId stream, const Headers& trailers) = 0;
    // Final, for each stream with a request: after both sides ended (kNoError), or a reset by whomever, or a
    // GOAWAY that leaves it unprocessed (kRefused).
    virtual void on_closed(H2StreamId stream, H2Code code) = 0;
    virtual void on_goaway() {}    // no new streams
    virtual void on_ping_ack() {}  // of ping()
    // The peer did this once too often: the connection is over (ENHANCE_YOUR_CALM).
    virtual void on_flood(H2Nuisance) {}
  };

  H2Session(Role role, const Limits& limits, const H2Limits& h2_limits, Events& events);
  ~H2Session();

  // False: the connection is over; what produce() still gives should be sent.
  bool receive(std::string_view bytes, SteadyTime now);
  // Appends whole frames to `out` until it holds `until` bytes or nothing may be sent now.
  void produce(std::string& out, std::size_t until);
  bool finished() const;  // both sides are done; nothing is left to send

  // All calls on a stream that is closed do nothing.
  // 0: no more streams. A head that asks for a WebSocket becomes an extended CONNECT (RFC 8441), and a head
  // with status 101 its answer; the peer's come as such heads.
  H2StreamId request(const RequestHead& head, std::string_view scheme, bool end);
  void respond(H2StreamId stream, const ResponseHead& head, bool end);  // `end`: no body follows
  void send_continue(H2StreamId stream);
  void send_data(H2StreamId stream, std::string_view data);
  void send_end(H2StreamId stream, const Headers& trailers);
  void reset(H2StreamId stream, H2Code code);
  // Nobody wants more of what comes in: it is dropped, and the peer told so once our side has ended.
  void ignore_rest(H2StreamId stream);
  // While held, the peer gets no credit for more than the stream's window.
  void hold(H2StreamId stream, bool held);

  std::size_t unsent(H2StreamId stream) const;
  std::size_t unsent() const;                   // of all streams
  std::uint64_t sent(H2StreamId stream) const;  // bytes of the body so far
  std::uint32_t peer_max_streams() const;
  bool peer_takes_websockets() const;  // has said so (RFC 8441 section 3)

  void announce_shutdown();  // GOAWAY for no stream yet; ping() tells when the peer has heard it
  void ping();
  void shut_down();        // GOAWAY: streams that came are served, later ones refused
  void fail(H2Code code);  // GOAWAY and the end

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tidegate::http
