// SPDX-License-Identifier: Apache-2.0
// Client side of one HTTP/2 connection: many exchanges at once over a net::Stream. Private to session/;
// H2Pool is its owner. Thread: its loop's. Owns: the stream and its buffers.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>

#include "base/clock.h"
#include "http/h2_session.h"
#include "net/stream.h"
#include "session/deadline.h"
#include "session/limits.h"
#include "session/out_queue.h"
#include "session/streams.h"

namespace tidegate::session {

class H2ClientConnection;

// One request and its response. Until there is a connection, what is to be sent waits here; the caller sees
// it in unsent_bytes().
struct H2Exchange {
  ClientStreamEvents* events = nullptr;  // null once it is over, or the caller has left
  http::RequestHead head;                // until it is sent
  std::string waiting;
  http::Headers trailers;
  bool request_complete = false;
  bool answered = false;
  bool over_high_water = false;
  bool websocket = false;
  H2ClientConnection* connection = nullptr;
  http::H2StreamId id = 0;

  bool over() const { return events == nullptr; }
  void fail(StreamError error, bool unsent, std::string_view detail);  // tells the caller, once
};

class H2ClientConnection final : public std::enable_shared_from_this<H2ClientConnection>,
                                 private OutQueue::Owner,
                                 private http::H2Session::Events {
 public:
  // Told to the pool. `room`: may carry another exchange. `closed`: final.
  struct Owner {
    virtual ~Owner() = default;
    virtual void room(const std::shared_ptr<H2ClientConnection>& connection) = 0;
    virtual void closed(const std::shared_ptr<H2ClientConnection>& connection) = 0;
  };

  H2ClientConnection(std::unique_ptr<net::Stream> stream, const ClientLimits& limits, Scheduler& scheduler,
                     std::size_t assumed_streams, Owner* owner);

  void start();  // once
  bool has_room() const;
  // What the peer offers is known: a WebSocket may not be asked for before (RFC 8441 section 3).
  bool heard() const { return heard_; }
  std::size_t max_streams() const;                          // `assumed_streams` until the peer has told
  bool carry(const std::shared_ptr<H2Exchange>& exchange);  // false: it has no room any more
  void close(StreamError error, std::string_view detail);   // exchanges under way fail with it
  void retire();                                            // closes once it is free
  void disown() { owner_ = nullptr; }

  void send_data(H2Exchange& exchange, std::string_view data);
  void send_end(H2Exchange& exchange, const http::Headers& trailers);
  void cancel(H2Exchange& exchange);
  std::size_t unsent_bytes(const H2Exchange& exchange) const { return session_.unsent(exchange.id); }
  void hold(const H2Exchange& exchange, bool held);

  bool busy() const { return !exchanges_.empty(); }
  SteadyTime idle_since{};

 private:
  static constexpr std::size_t kReadBuffer = 16 * 1024;

  std::shared_ptr<void> keep_alive() override { return shared_from_this(); }
  void on_sent() override {
    write();
    after_end();
  }
  void on_send_failed() override { close(StreamError::kReset, "the backend closed the connection"); }

  void on_response(http::H2StreamId id, http::ResponseHead head) override;
  void on_data(http::H2StreamId id, std::string_view data) override;
  void on_end(http::H2StreamId id, const http::Headers& trailers) override;
  void on_closed(http::H2StreamId id, http::H2Code code) override;
  void on_goaway() override { retiring_ = true; }
  void on_flood(http::H2Nuisance what) override { met_ = limit_behind(what); }
  void on_watch();

  H2Exchange* find(http::H2StreamId id);
  std::shared_ptr<H2Exchange> take(http::H2StreamId id);
  void read();
  void on_read(const Result<std::size_t>& bytes);
  void write_soon();
  void write();
  void wake();
  void after_end();

  std::unique_ptr<net::Stream> stream_;
  const ClientLimits& limits_;
  Scheduler& scheduler_;
  const std::size_t assumed_streams_;
  Owner* owner_;
  http::H2Session session_;
  OutQueue out_;
  std::unordered_map<http::H2StreamId, std::shared_ptr<H2Exchange>> exchanges_;
  std::optional<Limit> met_;  // by the backend, which ends the connection
  bool processing_ = false, write_posted_ = false, any_over_high_water_ = false;
  bool heard_ = false, retiring_ = false, closed_ = false;
  Deadline watch_;  // for silence while requests wait
  SteadyTime heard_at_{};
  Duration patience_;  // with the silence at hand
  bool pinged_ = false;
  std::array<char, kReadBuffer> buffer_;
};

}  // namespace tidegate::session
