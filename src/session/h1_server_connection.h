// SPDX-License-Identifier: Apache-2.0
// The two halves of a served HTTP/1 connection: H1ServerConnection reads, keeps the time and the order of
// messages; H1ServerStream is the one request under way and its response. Private to h1_server. Thread: the
// loop's.
#pragma once

#include <optional>

#include "http/h1_decoder.h"
#include "session/deadline.h"
#include "session/h1_server.h"
#include "session/out_queue.h"
#include "session/read_buffer.h"

namespace tidegate::session {

// What every request of one connection says about its client.
struct Peer {
  std::string address;
  std::string common_name;
  std::string server_name;
};

class H1ServerConnection;

class H1ServerStream final : public ServerStream {
 public:
  H1ServerStream(H1ServerConnection& connection, std::shared_ptr<const Peer> peer)
      : connection_(&connection), peer_(std::move(peer)) {}

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
  friend class H1ServerConnection;
  bool may_send_body() const { return connection_ && head_sent_ && !response_done_; }
  bool keeps_alive(const http::ResponseHead& head) const;
  void finish_response();
  void switch_protocols(const http::ResponseHead& head);

  H1ServerConnection* connection_;  // null once the exchange is over
  std::shared_ptr<const Peer> peer_;
  ServerStreamEvents* events_ = nullptr;
  std::string method_;
  http::Version version_ = http::Version::kHttp11;
  std::optional<std::uint64_t> request_length_;
  std::optional<std::uint64_t> unsent_body_;  // of a declared length
  bool expects_continue_ = false;             // and no answer to that was sent
  bool keep_alive_ = true;
  bool request_done_ = false;
  bool response_done_ = false;
  bool head_sent_ = false;
  bool body_allowed_ = true;
  bool chunked_ = false;
  bool paused_ = false;
  bool over_high_water_ = false;
  bool tunnel_ = false;  // after 101: request and response are two streams of bytes
};

class H1ServerConnection final : public ServerConnection,
                                 public std::enable_shared_from_this<H1ServerConnection>,
                                 private OutQueue::Owner {
 public:
  H1ServerConnection(std::unique_ptr<net::Stream> stream, H1ServerOptions options);
  void start();

  void drain() override;
  void close() override;
  bool idle() const override;

 private:
  friend class H1ServerStream;
  enum class Phase : std::uint8_t { kOpen, kLingering, kClosed };
  static constexpr std::size_t kIdleReadBuffer = 1024;  // and for the head of most requests
  static constexpr std::size_t kReadBuffer = 16 * 1024;

  const ServerLimits& limits() const { return *options_.limits; }
  std::shared_ptr<void> keep_alive() override { return shared_from_this(); }
  void on_sent() override;
  void on_send_failed() override { abort(StreamError::kReset); }

  void read();
  void on_read(const Result<std::size_t>& bytes);
  void on_input_end();
  void process();  // whoever calls it holds this object
  bool may_decode() const;
  void begin_request();
  void request_data(std::string_view data);
  void request_end();
  void set_read_deadline();
  void on_read_deadline();
  void on_write_deadline();

  void response_done();  // by the stream
  void settle();         // what follows from the state after any event
  void finish_exchange();
  void refuse(int status);
  void abort(StreamError error);
  void linger();
  void end();

  H1ServerOptions options_;
  std::shared_ptr<H1ServerConnection> open_;  // itself: a paused connection has no operation to hold it
  std::unique_ptr<net::Stream> stream_;
  std::shared_ptr<const Peer> peer_;
  http::H1Decoder decoder_;
  OutQueue out_;
  Deadline read_deadline_;
  Deadline write_deadline_;
  std::shared_ptr<H1ServerStream> current_;
  std::string_view in_;      // of buffer_: read and not yet decoded
  char* read_at_ = nullptr;  // where the read under way puts its bytes: behind in_
  std::size_t drained_ = 0;
  Phase phase_ = Phase::kOpen;
  bool reading_ = false;
  bool processing_ = false;
  bool process_posted_ = false;
  bool draining_ = false;
  bool head_timed_ = true;    // the deadline of the head under way stands: from the accept for the first
  bool write_timed_ = false;  // so does that of the write
  bool linger_when_sent_ = false;
  bool filled_ = false;  // the last read took all the room that there was
  ReadBuffer buffer_{kIdleReadBuffer, kReadBuffer};
};

}  // namespace tidegate::session
