// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "session/h2_server_connection.h"

namespace tidegate::session {
namespace {

// Where all streams of a connection together hold this much, each may hold less: a hundred that nobody reads
// stay cheap.
constexpr std::size_t kCrowded = 512 * 1024;
constexpr std::size_t kCrowdedShare = 8;

}  // namespace

void H2ServerStream::set_events(ServerStreamEvents* events) {
  events_ = events;
  if (events || !connection_) return;
  connection_->session_.ignore_rest(id_);
  connection_->write_soon();
}

void H2ServerStream::send_continue() {
  if (!connection_ || !std::exchange(expects_continue_, false) || head_sent_) return;
  connection_->session_.send_continue(id_);
  connection_->write_soon();
}

void H2ServerStream::send_head(const http::ResponseHead& head, bool end) {
  if (!connection_ || head_sent_) return;
  head_sent_ = true;
  tunnel_ = head.status == 101;
  body_allowed_ = tunnel_ || !http::response_has_no_body(method_, head.status);
  unsent_body_ = body_allowed_ ? head.content_length : std::nullopt;
  if (end && unsent_body_ && *unsent_body_ > 0) return reset();
  connection_->session_.respond(id_, head, end);
  sent_at_ = connection_->now();
  if (end) return finish_response();
  if (tunnel_) open_tunnel();
  connection_->write_soon();
}

// What came early is handed on in a turn of its own: events do not come from within a call.
void H2ServerStream::open_tunnel() {
  received_at_ = sent_at_;
  request_done_ = false;
  connection_->stream_->post([connection = connection_->shared_from_this(), self = shared_from_this()] {
    connection->begin_tunnel(self);
  });
}

void H2ServerStream::send_data(std::string_view data) {
  if (!may_send_body() || !body_allowed_ || data.empty()) return;
  // More than was declared makes the response malformed (RFC 9113 section 8.1.1).
  if (unsent_body_)
    data = data.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), *unsent_body_)));
  if (unsent_body_) *unsent_body_ -= data.size();
  if (connection_->session_.unsent(id_) == 0) sent_at_ = connection_->now();
  connection_->session_.send_data(id_, data);
  over_high_water_ |= unsent_bytes() > kHighWater;
  connection_->any_over_high_water_ |= over_high_water_;
  connection_->write_soon();
}

void H2ServerStream::send_end(const http::Headers& trailers) {
  if (!may_send_body()) return;
  if (unsent_body_ && *unsent_body_ > 0) return reset();
  connection_->session_.send_end(id_, trailers);
  finish_response();
}

void H2ServerStream::finish_response() {
  response_done_ = true;
  connection_->write_soon();
}

void H2ServerStream::reset() {
  if (!connection_ || response_done_) return;
  events_ = nullptr;
  response_done_ = true;
  connection_->session_.reset(id_, http::H2Code::kInternal);
  connection_->write_soon();
}

std::size_t H2ServerStream::unsent_bytes() const {
  if (!connection_) return 0;
  const std::size_t own = connection_->session_.unsent(id_);
  return connection_->session_.unsent() > kCrowded ? own * kCrowdedShare : own;
}

void H2ServerStream::pause() {
  paused_ = true;
  if (connection_) connection_->session_.hold(id_, true);
}

void H2ServerStream::resume() {
  if (!std::exchange(paused_, false) || !connection_) return;
  if (websocket_) return;  // held until the tunnel begins
  received_at_ = connection_->now();
  connection_->session_.hold(id_, false);
  connection_->write_soon();
}

}  // namespace tidegate::session
