// SPDX-License-Identifier: Apache-2.0
#include "session/h1_client.h"

#include <utility>

#include "http/h1_encoder.h"

namespace tidegate::session {
namespace {

constexpr std::size_t kWorthFlushing = 16 * 1024;  // do not gather more than this before sending
constexpr int kMaxInterims = 32;  // 1xx heads of one exchange; early hints come once or twice

}  // namespace

void Exchange::fail(StreamError error, bool unsent, std::string_view detail) {
  connection = nullptr;
  if (auto* told = std::exchange(events, nullptr)) told->on_error(error, unsent, detail);
}

void Exchange::send_data(std::string_view data) {
  if (connection) return connection->send_data(data);
  if (chunked) return http::encode_chunk(data, waiting);
  waiting.append(data);
}

void Exchange::send_end(const http::Headers& trailers) {
  request_complete = true;
  if (connection) return connection->send_end(trailers);
  if (chunked) http::encode_last_chunk(trailers, waiting);
}

H1ClientConnection::H1ClientConnection(std::unique_ptr<net::Stream> stream, const http::Limits& limits,
                                       Owner* owner)
    : stream_(std::move(stream)),
      owner_(owner),
      decoder_(http::H1Decoder::Role::kResponses, limits),
      out_(*stream_, *this) {}

void H1ClientConnection::start() { read(); }

void H1ClientConnection::carry(std::shared_ptr<Exchange> exchange, const http::RequestHead* head) {
  exchange_ = std::move(exchange);
  exchange_->connection = this;
  answered_ = false;
  paused_ = false;
  interims_ = 0;
  taken_before_ = out_.taken();
  decoder_.expect_response_to(exchange_->method);
  if (head) {
    http::encode_head(*head, {.upgrade = exchange_->upgrade}, out_.buffer());
    if (exchange_->request_complete && exchange_->chunked) http::encode_last_chunk({}, out_.buffer());
  } else {
    out_.buffer() += std::exchange(exchange_->waiting, {});
  }
  out_.flush_soon();  // a body that follows in this turn leaves together with its head
  over_high_water_ = unsent_bytes() > kHighWater;
  read();
}

void H1ClientConnection::abandon() {
  if (exchange_) exchange_->connection = nullptr;
  exchange_.reset();
  close(StreamError::kCancelled, {});
}

// RFC 9112 section 9.3.1: a reused connection may close at any time; what can be repeated without harm may go
// again on another one.
bool H1ClientConnection::repeatable() const {
  if (answered_) return false;
  if (out_.taken() == taken_before_) return true;
  return carried_before_ && http::is_idempotent(exchange_->method);
}

void H1ClientConnection::close(StreamError error, std::string_view detail) {
  if (closed_) return;
  const auto self = shared_from_this();
  closed_ = true;
  out_.stop();
  stream_->close();
  const bool unsent = exchange_ && error == StreamError::kReset && repeatable();
  const auto exchange = std::exchange(exchange_, nullptr);
  if (auto* owner = std::exchange(owner_, nullptr)) owner->closed(self);
  if (exchange) exchange->fail(error, unsent, detail);
}

// ---- the response ----

void H1ClientConnection::read() {
  if (closed_ || reading_) return;
  reading_ = true;
  stream_->read({buffer_.data(), buffer_.size()},
                [self = shared_from_this()](const Result<std::size_t>& bytes) { self->on_read(bytes); });
}

void H1ClientConnection::on_read(const Result<std::size_t>& bytes) {
  reading_ = false;
  if (closed_) return;
  if (!bytes) return close(StreamError::kReset, bytes.error().detail);
  if (*bytes == 0) return on_eof();
  full_reads_ = *bytes == buffer_.size() ? full_reads_ + 1 : 0;
  received(std::string_view(buffer_.data(), *bytes));
  // A large buffer is for what flows: an idle connection, and one whose reader waits, gives it back.
  const bool flows = exchange_ && !paused_;
  if (!reading_) buffer_.resize(flows && (full_reads_ > 1 || buffer_.is_large()), {});
  if (!paused_) read();
}

void H1ClientConnection::resume() {
  paused_ = false;
  read();
}

void H1ClientConnection::received(std::string_view input) {
  // Bytes that answer nothing: the backend is out of step, or says good-bye (408) before it closes. A request
  // that is still to be sent goes over another connection.
  if (!exchange_) return close(StreamError::kProtocol, "bytes without a request");
  if (out_.taken() == taken_before_) return close(StreamError::kReset, "bytes without a request");
  answered_ = true;
  while (!closed_ && exchange_) {
    if (tunnel_) return input.empty() ? void() : exchange_->events->on_data(input);
    const auto event = decoder_.next(input);
    if (event == http::H1Decoder::Event::kNeedMore) return;
    if (!handle(event, input)) return;
  }
}

bool H1ClientConnection::handle(http::H1Decoder::Event event, std::string_view rest) {
  using Event = http::H1Decoder::Event;
  switch (event) {
    case Event::kNeedMore:
      return false;
    case Event::kHead:
      return on_head();
    case Event::kData:
      exchange_->events->on_data(decoder_.body());
      return !closed_;
    case Event::kEnd:
      return on_end(rest);
    case Event::kError:
      close(StreamError::kProtocol, decoder_.error_detail());
      return false;
  }
  return false;
}

bool H1ClientConnection::on_head() {
  const int status = decoder_.response().status;
  interim_ = status >= 100 && status < 200;
  if (status == 101 && !exchange_->upgrade.empty() &&
      decoder_.response().headers.has_token("upgrade", exchange_->upgrade)) {
    tunnel_ = true;
    exchange_->events->on_head(decoder_.response());
  } else if (status == 101) {
    close(StreamError::kProtocol, "101 to a request that asked for no other protocol");
  } else if (interim_ && ++interims_ > kMaxInterims) {
    close(StreamError::kProtocol, "too many interim responses");
  } else if (!interim_) {
    exchange_->events->on_head(decoder_.response());
  }
  return !closed_;
}

bool H1ClientConnection::on_end(std::string_view rest) {
  if (std::exchange(interim_, false)) return true;  // the final response is still to come
  const auto exchange = std::exchange(exchange_, nullptr);
  exchange->connection = nullptr;
  auto* events = std::exchange(exchange->events, nullptr);
  // A response that came before the request was complete, or with bytes behind it, leaves the connection in
  // nobody knows what state.
  const bool reusable = exchange->request_complete && unsent_bytes() == 0 && decoder_.keep_alive() &&
                        rest.empty() && !write_failed_ && !retiring_;
  carried_before_ = true;
  paused_ = false;  // an idle connection watches for its end
  const http::Headers trailers = std::move(decoder_.trailers());
  if (!reusable) {
    close(StreamError::kNone, {});
  } else if (owner_) {
    owner_->free(shared_from_this());
  }
  if (events) events->on_end(trailers);
  return false;
}

void H1ClientConnection::on_eof() {
  if (tunnel_ && exchange_) {
    const auto exchange = std::exchange(exchange_, nullptr);
    exchange->connection = nullptr;
    close(StreamError::kNone, {});
    if (auto* events = std::exchange(exchange->events, nullptr)) events->on_end({});
    return;
  }
  if (exchange_ && answered_ && decoder_.finish() == http::H1Decoder::Event::kEnd) {
    retiring_ = true;
    on_end({});
    return;
  }
  close(StreamError::kReset, answered_ ? "closed in the middle of a response" : "closed without a response");
}

// ---- the request ----

void H1ClientConnection::send_data(std::string_view data) {
  if (closed_ || write_failed_) return;
  if (exchange_->chunked) http::encode_chunk_size(data.size(), out_.buffer());
  out_.put(data);
  if (exchange_->chunked) out_.buffer() += "\r\n";
  if (out_.unsent() >= kWorthFlushing) {
    out_.flush();
  } else {
    out_.flush_soon();
  }
  over_high_water_ |= unsent_bytes() > kHighWater;
}

void H1ClientConnection::send_end(const http::Headers& trailers) {
  if (closed_ || write_failed_) return;
  if (exchange_->chunked) http::encode_last_chunk(trailers, out_.buffer());
  out_.flush_soon();
  tunnel_input_ended_ = tunnel_;
  shut_down_when_sent();
}

void H1ClientConnection::shut_down_when_sent() {
  if (!tunnel_input_ended_ || closed_ || unsent_bytes() > 0) return;
  tunnel_input_ended_ = false;
  stream_->shutdown_write();
}

void H1ClientConnection::on_sent() {
  shut_down_when_sent();
  if (!over_high_water_ || unsent_bytes() > kLowWater) return;
  over_high_water_ = false;
  if (exchange_ && exchange_->events) exchange_->events->on_writable();
}

}  // namespace tidegate::session
