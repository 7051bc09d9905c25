// SPDX-License-Identifier: Apache-2.0
// Client side of one HTTP/1.1 connection: one exchange at a time over a net::Stream, reused as long as both
// sides allow it. Keeps a read pending while idle, so that a backend's close is seen before the next request
// is sent into it. Private to session/; ClientPool is its owner. Thread: its loop's. Owns: the stream and its
// buffers.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "http/h1_decoder.h"
#include "net/stream.h"
#include "session/out_queue.h"
#include "session/read_buffer.h"
#include "session/streams.h"

namespace tidegate::session {

class H1ClientConnection;

// One request and its response, from the call until the end: waiting for a connection at first, then on one.
// Shared by the caller's ClientStream and whoever carries it.
struct Exchange {
  ClientStreamEvents* events = nullptr;  // null once it is over, or the caller has left
  std::string method;
  bool chunked = false;           // framing of the request body
  bool wants_new = false;         // no connection that carried another exchange
  std::string upgrade;            // the protocol asked for; empty: none
  bool request_complete = false;  // all of it has been handed to us
  std::string waiting;            // bytes to send once there is a connection
  H1ClientConnection* connection = nullptr;

  bool over() const { return events == nullptr; }
  // Tells the caller, once.
  void fail(StreamError error, bool unsent, std::string_view detail);
  void send_data(std::string_view data);
  void send_end(const http::Headers& trailers);
};

class H1ClientConnection final : public std::enable_shared_from_this<H1ClientConnection>,
                                 private OutQueue::Owner {
 public:
  // What happens to a connection, told to its pool. `free`: may carry another exchange now. `closed`: final.
  struct Owner {
    virtual ~Owner() = default;
    virtual void free(const std::shared_ptr<H1ClientConnection>& connection) = 0;
    virtual void closed(const std::shared_ptr<H1ClientConnection>& connection) = 0;
  };

  H1ClientConnection(std::unique_ptr<net::Stream> stream, const http::Limits& limits, Owner* owner);

  void start();  // once
  // With the head still to be written, or with all that waits in the exchange.
  void carry(std::shared_ptr<Exchange> exchange, const http::RequestHead* head);
  // The caller left in the middle: nobody can know where the next response begins.
  void abandon();
  void close(StreamError error, std::string_view detail);  // an exchange under way fails with it
  void retire() { retiring_ = true; }                      // closes once it is free
  void disown() { owner_ = nullptr; }

  void send_data(std::string_view data);
  void send_end(const http::Headers& trailers);
  std::size_t unsent_bytes() const { return out_.unsent(); }
  void pause() { paused_ = true; }
  void resume();

  bool busy() const { return exchange_ != nullptr; }
  bool carried_before() const { return carried_before_; }
  SteadyTime idle_since{};

 private:
  // A body of 16 KiB comes with its head in one read. What a slow client holds grows with it
  // (docs/hardening.md).
  static constexpr std::size_t kReadBuffer = 20 * 1024;
  static constexpr std::size_t kBulkReadBuffer = 64 * 1024;  // large bodies come in larger pieces

  std::shared_ptr<void> keep_alive() override { return shared_from_this(); }
  void on_sent() override;
  // The backend may have answered before it closed: the read decides what became of the exchange.
  void on_send_failed() override { write_failed_ = true; }

  void read();
  void on_read(const Result<std::size_t>& bytes);
  void received(std::string_view input);
  // False where decoding must stop: the connection is closed or waits for its next exchange.
  bool handle(http::H1Decoder::Event event, std::string_view rest);
  bool on_head();
  bool on_end(std::string_view rest);
  void on_eof();
  void shut_down_when_sent();
  bool repeatable() const;

  std::unique_ptr<net::Stream> stream_;
  Owner* owner_;
  http::H1Decoder decoder_;
  OutQueue out_;
  std::shared_ptr<Exchange> exchange_;
  std::uint64_t taken_before_ = 0;  // what the socket had taken when this exchange began
  int full_reads_ = 0;              // in a row
  int interims_ = 0;                // 1xx heads of this exchange
  bool carried_before_ = false;     // an earlier exchange went over it
  bool answered_ = false;           // a byte of this exchange's response has come
  bool interim_ = false;            // the head being decoded is a 1xx
  bool closed_ = false, reading_ = false, paused_ = false, write_failed_ = false, over_high_water_ = false;
  bool retiring_ = false;
  bool tunnel_ = false, tunnel_input_ended_ = false;  // after 101: no HTTP any more
  ReadBuffer buffer_{kReadBuffer, kBulkReadBuffer};
};

}  // namespace tidegate::session
