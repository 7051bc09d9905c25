// SPDX-License-Identifier: Apache-2.0
#include "session/h1_server.h"

#include "http/h1_encoder.h"
#include "session/h1_server_connection.h"

namespace tidegate::session {

H1ServerConnection::H1ServerConnection(std::unique_ptr<net::Stream> stream, H1ServerOptions options)
    : options_(std::move(options)),
      stream_(std::move(stream)),
      peer_(std::make_shared<Peer>(Peer{stream_->peer_address(), std::string(stream_->peer_common_name()),
                                        std::string(stream_->server_name())})),
      decoder_(http::H1Decoder::Role::kRequests, options_.limits->http),
      out_(*stream_, *this),
      read_deadline_(*options_.scheduler, [this] { on_read_deadline(); }),
      write_deadline_(*options_.scheduler, [this] { on_write_deadline(); }) {}

void H1ServerConnection::start() {
  open_ = shared_from_this();
  read_deadline_.set(limits().header_timeout);
  if (options_.received.empty()) return read();
  in_ = buffer_.resize(false, options_.received);
  process();
}

// ---- reading ----

void H1ServerConnection::read() {
  if (reading_ || phase_ == Phase::kClosed) return;
  // What waits undecoded (pipelined, or its reader is paused) moves to the front. A full buffer stops
  // reading: that bounds it.
  if (in_.size() == kReadBuffer) return;
  const bool between_requests = !current_ && in_.empty() && decoder_.at_message_start();
  in_ = buffer_.resize(!between_requests && (filled_ || buffer_.is_large()), in_);
  read_at_ = buffer_.data() + in_.size();
  reading_ = true;
  stream_->read({read_at_, buffer_.size() - in_.size()},
                [self = shared_from_this()](const Result<std::size_t>& bytes) { self->on_read(bytes); });
}

void H1ServerConnection::on_read(const Result<std::size_t>& bytes) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  if (!bytes) {
    if (bytes.error().code == ErrorCode::kLimit) options_.handler->on_limit(Limit::kTlsChatter);
    return abort(StreamError::kReset);
  }
  if (*bytes == 0) return on_input_end();
  if (phase_ == Phase::kLingering) {
    drained_ += *bytes;
    return drained_ > limits().max_drain_bytes ? end() : read();
  }
  filled_ = read_at_ + *bytes == buffer_.data() + buffer_.size();
  in_ = {in_.empty() ? read_at_ : in_.data(), in_.size() + *bytes};
  process();
}

void H1ServerConnection::on_input_end() {
  if (current_ && current_->tunnel_ && !current_->request_done_) {
    current_->request_done_ = true;
    if (current_->events_) current_->events_->on_end({});
    return;
  }
  if (current_ && !(current_->request_done_ && current_->response_done_)) return abort(StreamError::kReset);
  if (out_.unsent() == 0 || phase_ == Phase::kLingering) return end();
  // It has said all that it wants and still reads: what is on its way goes out.
  linger_when_sent_ = true;
  settle();
}

bool H1ServerConnection::may_decode() const {
  if (phase_ != Phase::kOpen || linger_when_sent_) return false;
  if (!current_) return true;
  if (current_->request_done_ || current_->paused_) return false;
  return current_->events_ || drained_ <= limits().max_drain_bytes;
}

void H1ServerConnection::process() {
  if (processing_ || phase_ != Phase::kOpen) return;
  processing_ = true;
  for (bool more = true; more && may_decode();) {
    if (current_ && current_->tunnel_) {
      if (!in_.empty()) request_data(std::exchange(in_, {}));
      break;
    }
    switch (decoder_.next(in_)) {
      case http::H1Decoder::Event::kNeedMore:
        more = false;
        break;
      case http::H1Decoder::Event::kHead:
        begin_request();
        break;
      case http::H1Decoder::Event::kData:
        request_data(decoder_.body());
        break;
      case http::H1Decoder::Event::kEnd:
        request_end();
        break;
      case http::H1Decoder::Event::kError:
        refuse(http::status_for(decoder_.error()));
        break;
    }
  }
  processing_ = false;
  if (phase_ == Phase::kClosed) return;
  settle();
}

void H1ServerConnection::begin_request() {
  head_timed_ = false;
  drained_ = 0;
  current_ = std::make_shared<H1ServerStream>(*this, peer_);
  H1ServerStream& stream = *current_;
  http::RequestHead& head = decoder_.request();
  head.scheme = options_.scheme;
  stream.method_ = head.method;
  stream.version_ = head.version;
  stream.request_length_ = head.content_length;
  stream.keep_alive_ = decoder_.keep_alive();
  stream.expects_continue_ = decoder_.expects_continue();
  options_.handler->on_request(head, stream.expects_continue_, current_);
}

void H1ServerConnection::request_data(std::string_view data) {
  current_->expects_continue_ = false;  // it went on without being asked to
  if (current_->events_) return current_->events_->on_data(data);
  drained_ += data.size();
}

void H1ServerConnection::request_end() {
  const H1ServerStream* stream = current_.get();
  current_->request_done_ = true;
  if (current_->events_) current_->events_->on_end(decoder_.trailers());
  if (stream == current_.get() && stream->response_done_) finish_exchange();
}

// ---- time ----

void H1ServerConnection::set_read_deadline() {
  if (!current_) {
    if (decoder_.at_message_start() && in_.empty()) return;  // set by finish_exchange(), or at the accept
    if (!head_timed_) read_deadline_.set(limits().header_timeout);
    head_timed_ = true;
  } else if (current_->request_done_ || current_->paused_) {
    read_deadline_.clear();
  } else if (current_->tunnel_) {
    read_deadline_.set(limits().tunnel_idle_timeout);
  } else {
    read_deadline_.set(limits().body_idle_timeout);
  }
}

void H1ServerConnection::on_read_deadline() {
  const auto self = shared_from_this();
  if (phase_ == Phase::kLingering) return end();
  const bool between_requests = !current_ && decoder_.at_message_start();
  // A response may take longer to be read than a client may think about its next request; the write's own
  // deadline sees to that.
  if (between_requests && out_.unsent() > 0) return read_deadline_.set(limits().keep_alive_timeout);
  if (between_requests) return end();
  options_.handler->on_limit(!current_           ? Limit::kHeaderTimeout
                             : current_->tunnel_ ? Limit::kTunnelIdleTimeout
                                                 : Limit::kBodyIdleTimeout);
  refuse(408);
}

void H1ServerConnection::on_write_deadline() {
  const auto self = shared_from_this();
  options_.handler->on_limit(Limit::kWriteIdleTimeout);
  abort(StreamError::kTimeout);
}

// ---- order of messages ----

void H1ServerConnection::response_done() {
  // Called from within calls on the stream: what follows (the next request, the rest of a body) comes in a
  // turn of its own.
  if (processing_ || process_posted_ || phase_ != Phase::kOpen) return;
  if (current_ && current_->request_done_ && current_->response_done_) finish_exchange();
  if (in_.empty() && decoder_.at_message_start()) return settle();
  process_posted_ = true;
  stream_->post([self = shared_from_this()] {
    self->process_posted_ = false;
    if (self->current_ && self->current_->request_done_ && self->current_->response_done_)
      self->finish_exchange();
    self->process();
  });
}

void H1ServerConnection::finish_exchange() {
  const bool keep_alive = current_->keep_alive_ && !draining_;
  current_->connection_ = nullptr;
  current_.reset();
  if (keep_alive) {
    read_deadline_.set(limits().keep_alive_timeout);
  } else {
    linger_when_sent_ = true;
  }
}

void H1ServerConnection::settle() {
  if (phase_ == Phase::kClosed || processing_) return;
  if (out_.waiting()) {
    // Moved on by on_sent() alone: sending more is no progress.
    if (!write_timed_) write_deadline_.set(limits().write_idle_timeout);
    write_timed_ = true;
  }
  if (phase_ == Phase::kLingering) return;
  // A response is out before its request is in, and nobody wants the rest: beyond what is cheap to drain, the
  // connection goes.
  if (current_ && current_->response_done_ && !current_->events_ &&
      (!current_->keep_alive_ || drained_ > limits().max_drain_bytes)) {
    current_->connection_ = nullptr;
    current_.reset();
    linger_when_sent_ = true;
  }
  if (linger_when_sent_) {
    read_deadline_.clear();
    if (out_.unsent() == 0) linger();
    return;
  }
  set_read_deadline();
  const bool nothing_to_read = current_ && (current_->request_done_ ? current_->tunnel_ : current_->paused_);
  if (!nothing_to_read) read();
}

void H1ServerConnection::on_sent() {
  if (phase_ == Phase::kClosed) return;
  write_timed_ = false;
  if (!out_.waiting()) write_deadline_.clear();
  H1ServerStream* stream = current_.get();
  if (stream && stream->over_high_water_ && out_.unsent() <= kLowWater) {
    stream->over_high_water_ = false;
    if (stream->events_ && !stream->response_done_) stream->events_->on_writable();
  }
  settle();
}

// ---- ends ----

void H1ServerConnection::refuse(int status) {
  const auto self = shared_from_this();
  const auto stream = std::exchange(current_, nullptr);
  if (stream) {
    stream->connection_ = nullptr;
    if (ServerStreamEvents* events = std::exchange(stream->events_, nullptr)) {
      events->on_abort(status == 408 ? StreamError::kTimeout : StreamError::kProtocol);
    }
    if (phase_ == Phase::kClosed) return;
    if (stream->head_sent_) return end();
  } else {
    options_.handler->on_refused(status);
    if (const auto limit = limit_behind(status)) options_.handler->on_limit(*limit);
  }
  http::ResponseHead head;
  head.status = status;
  const std::string body = std::to_string(status) + " " + std::string(http::reason_phrase(status)) + "\n";
  head.headers.add("Content-Type", "text/plain");
  head.content_length = body.size();
  http::encode_head(head, "GET", http::Version::kHttp11, {.keep_alive = false}, out_.buffer());
  out_.buffer() += body;
  linger_when_sent_ = true;
  out_.flush();
  settle();
}

void H1ServerConnection::abort(StreamError error) {
  const auto self = shared_from_this();
  if (phase_ == Phase::kClosed) return;
  if (const auto stream = std::exchange(current_, nullptr)) {
    stream->connection_ = nullptr;
    if (ServerStreamEvents* events = std::exchange(stream->events_, nullptr)) events->on_abort(error);
  }
  end();
}

// RFC 9112 section 9.6: closing with bytes unread resets the connection and may take the response away from
// the client.
void H1ServerConnection::linger() {
  phase_ = Phase::kLingering;
  in_ = {};
  drained_ = 0;
  stream_->shutdown_write();
  read_deadline_.set(limits().linger_timeout);
  read();
}

void H1ServerConnection::end() {
  if (phase_ == Phase::kClosed) return;
  const auto self = std::exchange(open_, nullptr);
  phase_ = Phase::kClosed;
  out_.stop();
  read_deadline_.stop();
  write_deadline_.stop();
  if (current_) current_->connection_ = nullptr;
  current_.reset();
  stream_->close();
  if (const auto closed = std::exchange(options_.closed, nullptr)) closed(this);
}

void H1ServerConnection::drain() {
  draining_ = true;
  if (idle()) end();
}

void H1ServerConnection::close() { abort(StreamError::kCancelled); }

bool H1ServerConnection::idle() const {
  return phase_ == Phase::kOpen && !current_ && in_.empty() && decoder_.at_message_start() &&
         out_.unsent() == 0;
}

std::shared_ptr<ServerConnection> serve_h1(std::unique_ptr<net::Stream> stream, H1ServerOptions options) {
  auto connection = std::make_shared<H1ServerConnection>(std::move(stream), std::move(options));
  connection->start();
  return connection;
}

}  // namespace tidegate::session
