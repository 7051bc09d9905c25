// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "http/h1_encoder.h"
#include "session/h1_server_connection.h"

namespace tidegate::session {
namespace {

constexpr std::size_t kWorthFlushing = 16 * 1024;  // do not gather more than this before sending

}  // namespace

void H1ServerStream::set_events(ServerStreamEvents* events) {
  events_ = events;
  // With nobody listening, a pause would never end.
  if (!events && paused_) resume();
  if (!events && connection_ && response_done_) connection_->response_done();
}

void H1ServerStream::send_continue() {
  if (!connection_ || !expects_continue_ || head_sent_) return;
  expects_continue_ = false;
  connection_->out_.buffer() += "HTTP/1.1 100 Continue\r\n\r\n";
  connection_->out_.flush_soon();
}

// A client whose body we do not take to the end can't tell where its next request would begin.
bool H1ServerStream::keeps_alive(const http::ResponseHead& head) const {
  if (!keep_alive_ || connection_->draining_) return false;
  if (version_ == http::Version::kHttp10 && body_allowed_ && !head.content_length) return false;
  if (request_done_) return true;
  return !expects_continue_ && request_length_ && *request_length_ <= connection_->limits().max_drain_bytes;
}

void H1ServerStream::send_head(const http::ResponseHead& head, bool end) {
  if (!connection_ || head_sent_) return;
  if (head.status == 101) return switch_protocols(head);
  if (end && !head.content_length && !http::response_has_no_body(method_, head.status)) {
    http::ResponseHead sized = head;
    sized.content_length = 0;
    return send_head(sized, true);
  }
  head_sent_ = true;
  body_allowed_ = !http::response_has_no_body(method_, head.status);
  chunked_ = body_allowed_ && !head.content_length && version_ != http::Version::kHttp10;
  unsent_body_ = body_allowed_ ? head.content_length : std::nullopt;
  keep_alive_ = keeps_alive(head);
  http::encode_head(head, method_, version_, {.keep_alive = keep_alive_}, connection_->out_.buffer());
  if (end) {
    if (unsent_body_ && *unsent_body_ > 0) return reset();
    return finish_response();
  }
  connection_->out_.flush_soon();
}

// RFC 9110 section 7.8: behind the head's empty line the new protocol begins.
void H1ServerStream::switch_protocols(const http::ResponseHead& head) {
  head_sent_ = tunnel_ = true;
  keep_alive_ = request_done_ = false;
  const auto upgrade = head.headers.get("upgrade").value_or("");
  http::encode_head(head, method_, version_, {.upgrade = upgrade}, connection_->out_.buffer());
  connection_->out_.flush_soon();
  connection_->response_done();  // bytes may be here already
}

void H1ServerStream::send_data(std::string_view data) {
  if (!may_send_body() || !body_allowed_ || data.empty()) return;
  OutQueue& out = connection_->out_;
  if (chunked_) {
    http::encode_chunk_size(data.size(), out.buffer());
    out.put(data);
    out.buffer() += "\r\n";
  } else {
    // More than was declared would be read as the start of the next response.
    if (unsent_body_)
      data = data.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), *unsent_body_)));
    if (unsent_body_) *unsent_body_ -= data.size();
    out.put(data);
  }
  if (out.unsent() >= kWorthFlushing) {
    out.flush();
  } else {
    out.flush_soon();
  }
  over_high_water_ |= out.unsent() > kHighWater;
  connection_->settle();
}

void H1ServerStream::send_end(const http::Headers& trailers) {
  if (!may_send_body()) return;
  if (unsent_body_ && *unsent_body_ > 0) return reset();
  if (chunked_) http::encode_last_chunk(trailers, connection_->out_.buffer());
  finish_response();
}

void H1ServerStream::finish_response() {
  response_done_ = true;
  if (tunnel_) request_done_ = true;  // there is nobody left to send to
  connection_->out_.flush_soon();
  connection_->response_done();
}

void H1ServerStream::reset() {
  if (!connection_ || response_done_) return;
  events_ = nullptr;
  connection_->out_.flush();
  // A body that only the close delimits looks whole after any proper close.
  if (head_sent_ && body_allowed_ && !chunked_ && !unsent_body_) connection_->stream_->reset();
  connection_->end();
}

std::size_t H1ServerStream::unsent_bytes() const { return connection_ ? connection_->out_.unsent() : 0; }

void H1ServerStream::pause() { paused_ = true; }

void H1ServerStream::resume() {
  if (!paused_) return;
  paused_ = false;
  if (connection_) connection_->response_done();  // goes on where it stopped, in a turn of its own
}

}  // namespace tidegate::session
