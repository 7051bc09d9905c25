// SPDX-License-Identifier: Apache-2.0
// The two halves of a served HTTP/2 connection: H2ServerConnection reads, writes and keeps the time;
// H2ServerStream is one request and its response. Private to h2_server. Thread: the loop's.
#pragma once

#include <unordered_map>

#include "http/h2_session.h"
#include "session/deadline.h"
#include "session/h1_server_connection.h"
#include "session/h2_server.h"
#include "session/out_queue.h"
#include "session/read_buffer.h"

namespace tidegate::session {

class H2ServerConnection;

class H2ServerStream final : public ServerStream, public std::enable_shared_from_this<H2ServerStream> {
 public:
  H2ServerStream(H2ServerConnection& connection, http::H2StreamId id, std::shared_ptr<const Peer> peer)
      : connection_(&connection), id_(id), peer_(std::move(peer)) {}

  void set_events(ServerStreamEvents* events) override;
  void send_continue() override;
  void send_head(const http::ResponseHead& head, bool end) override;
  void send_data(std::string_view data) override;
  void send_end(const http::Headers& trailers) override;
  void reset() override;
  std::size_t unsent_bytes() const override;
  void pause() override;
  void resume() override;
  const std::string& client_address() const override { return peer_->address; }
  std::string_view client_common_name() const override { return peer_->common_name; }
  std::string_view server_name() const override { return peer_->server_name; }

 private:
  friend class H2ServerConnection;
  bool may_send_body() const { return connection_ && head_sent_ && !response_done_; }
  void finish_response();
  void open_tunnel();

  H2ServerConnection* connection_;  // null once the stream is closed
  const http::H2StreamId id_;
  std::shared_ptr<const Peer> peer_;
  ServerStreamEvents* events_ = nullptr;
  http::RequestHead head_;  // the handler's
  std::string method_;
  std::optional<std::uint64_t> unsent_body_;  // of a declared length
  bool expects_continue_ = false;             // and no answer to that was sent
  bool request_done_ = false;
  bool response_done_ = false;
  bool head_sent_ = false;
  bool body_allowed_ = true;
  bool paused_ = false;
  bool over_high_water_ = false;
  bool websocket_ = false;  // is asked for: what comes before our answer waits
  bool tunnel_ = false;     // and was granted
  std::string early_;       // so it waits here; the peer gets no credit for it
  bool early_end_ = false;
  // When each side last moved, and how far it had come.
  SteadyTime received_at_{}, sent_at_{};
  std::uint64_t sent_then_ = 0, sent_before_ = 0;
};

class H2ServerConnection final : public ServerConnection,
                                 public std::enable_shared_from_this<H2ServerConnection>,
                                 private OutQueue::Owner,
                                 private http::H2Session::Events {
 public:
  H2ServerConnection(std::unique_ptr<net::Stream> stream, ServerOptions options);
  void start();

  void drain() override;
  void close() override;
  bool idle() const override { return streams_.empty() && out_.unsent() == 0; }

 private:
  friend class H2ServerStream;
  static constexpr std::size_t kIdleReadBuffer = 1024;
  static constexpr std::size_t kReadBuffer = 16 * 1024;

  const ServerLimits& limits() const { return *options_.limits; }
  SteadyTime now() const { return options_.scheduler->clock().steady_now(); }
  std::shared_ptr<void> keep_alive() override { return shared_from_this(); }
  void on_sent() override;
  void on_send_failed() override { abort(StreamError::kReset); }

  void on_request(http::H2StreamId id, http::RequestHead head, bool expects_continue) override;
  void on_refused(http::H2StreamId, int status) override;
  void on_flood(http::H2Nuisance what) override;
  void on_data(http::H2StreamId id, std::string_view data) override;
  void on_end(http::H2StreamId id, const http::Headers& trailers) override;
  void on_closed(http::H2StreamId id, http::H2Code code) override;
  void on_ping_ack() override { finish_drain(); }

  void begin_tunnel(const std::shared_ptr<H2ServerStream>& stream);
  H2ServerStream* find(http::H2StreamId id);
  void read();
  void on_read(const Result<std::size_t>& bytes);
  void received(std::string_view bytes);
  void write_soon();  // by streams: what they put goes out at the end of this turn
  void write();
  void wake_streams();
  void watch();
  void on_watch();
  std::optional<Limit> timed_out(H2ServerStream& stream, SteadyTime at);
  void on_write_deadline();
  void finish_drain();
  void abort(StreamError error);
  void drop_streams(StreamError error);
  void linger();
  void end();

  ServerOptions options_;
  std::unique_ptr<net::Stream> stream_;
  std::shared_ptr<const Peer> peer_;
  http::H2Session session_;
  OutQueue out_;
  Deadline watch_;           // looks after all streams at once
  Deadline write_deadline_;  // of the socket
  Deadline end_deadline_;    // of draining, or of lingering
  std::unordered_map<http::H2StreamId, std::shared_ptr<H2ServerStream>> streams_;
  SteadyTime idle_since_{};
  std::size_t drained_ = 0;  // while lingering
  bool greeted_ = false;     // a request, or a refused one, has come
  bool reading_ = false;
  bool processing_ = false;
  bool write_posted_ = false;
  bool write_timed_ = false;
  bool draining_ = false;
  bool any_over_high_water_ = false;
  bool lingering_ = false;
  bool closed_ = false;
  bool filled_ = false;  // by the last read
  ReadBuffer buffer_{kIdleReadBuffer, kReadBuffer};
};

}  // namespace tidegate::session
