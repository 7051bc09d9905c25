// SPDX-License-Identifier: Apache-2.0
#include "session/h1_client.h"

#include <utility>

namespace tidegate::session {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;

}  // namespace

void Exchange::fail(StreamError error, bool unsent, std::string_view detail) {
  connection = nullptr;
  if (auto* told = std::exchange(events, nullptr)) told->on_error(error, unsent, detail);
}

void Exchange::append(std::string_view bytes) {
  if (connection) return connection->send(bytes);
  waiting.append(bytes);
}

H1ClientConnection::H1ClientConnection(std::unique_ptr<net::Stream> stream, const http::Limits& limits, Owner* owner)
    : stream_(std::move(stream)), owner_(owner), decoder_(http::H1Decoder::Role::kResponses, limits) {
  buffer_.resize(kReadBytes);
}

void H1ClientConnection::start() { read(); }

void H1ClientConnection::carry(std::shared_ptr<Exchange> exchange) {
  exchange_ = std::move(exchange);
  exchange_->connection = this;
  answered_ = false;
  paused_ = false;
  decoder_.expect_response_to(exchange_->method);
  next_ += std::exchange(exchange_->waiting, {});
  over_high_water_ = unsent_bytes() > kHighWater;
  flush();
  if (!reading_) read();
}

void H1ClientConnection::abandon() {
  if (exchange_) exchange_->connection = nullptr;
  exchange_.reset();
  close(StreamError::kCancelled, {});
}

void H1ClientConnection::close(StreamError error, std::string_view detail) {
  if (!stream_) return;
  const auto self = shared_from_this();
  stream_->close();
  stream_.reset();
  if (auto* owner = std::exchange(owner_, nullptr)) owner->closed(self);
  auto exchange = std::exchange(exchange_, nullptr);
  if (!exchange) return;
  // RFC 9112 section 9.3.1: a reused connection may close at any time; what can be repeated without harm may go again on another one.
  const bool unsent = error == StreamError::kReset && carried_before_ && !answered_ && http::is_idempotent(exchange->method);
  exchange->fail(error, unsent, detail);
}

void H1ClientConnection::read() {
  if (!stream_ || reading_) return;
  reading_ = true;
  stream_->read(buffer_, [this](Result<std::size_t> bytes) {
    reading_ = false;
    const auto self = shared_from_this();
    if (!bytes) return close(StreamError::kReset, bytes.error().detail);
    if (*bytes == 0) return on_eof();
    received(std::string_view(buffer_.data(), *bytes));
    if (!paused_) read();
  });
}

void H1ClientConnection::resume() {
  paused_ = false;
  read();
}

void H1ClientConnection::received(std::string_view input) {
  // Bytes that answer nothing: the backend is out of step, or says good-bye (408) before it closes.
  if (!exchange_) return close(StreamError::kProtocol, "bytes without a request");
  answered_ = true;
  while (stream_ && exchange_) {
    const auto event = decoder_.next(input);
    if (event == http::H1Decoder::Event::kNeedMore) return;
    if (!handle(event, input)) return;
  }
}

bool H1ClientConnection::handle(http::H1Decoder::Event event, std::string_view rest) {
  using Event = http::H1Decoder::Event;
  switch (event) {
    case Event::kNeedMore: return false;
    case Event::kHead: return on_head();
    case Event::kData:
      exchange_->events->on_data(decoder_.body());
      return stream_ != nullptr;
    case Event::kEnd: return on_end(rest);
    case Event::kError:
      close(StreamError::kProtocol, decoder_.error_detail());
      return false;
  }
  return false;
}

bool H1ClientConnection::on_head() {
  const int status = decoder_.response().status;
  interim_ = status >= 100 && status < 200;
  if (status == 101) {
    close(StreamError::kProtocol, "101 to a request that asked for no other protocol");
    return false;
  }
  if (!interim_) exchange_->events->on_head(std::move(decoder_.response()));
  return stream_ != nullptr;
}

bool H1ClientConnection::on_end(std::string_view rest) {
  if (std::exchange(interim_, false)) {
    decoder_.expect_response_to(exchange_->method);  // the final response is still to come
    return true;
  }
  auto exchange = std::exchange(exchange_, nullptr);
  exchange->connection = nullptr;
  auto* events = std::exchange(exchange->events, nullptr);
  // A response that came before the request was complete, or with bytes behind it, leaves the connection in nobody knows what state.
  const bool reusable = exchange->request_complete && unsent_bytes() == 0 && decoder_.keep_alive() && rest.empty() &&
                        !write_failed_ && !retiring_;
  carried_before_ = true;
  const http::Headers trailers = decoder_.trailers();
  if (!reusable) {
    close(StreamError::kNone, {});
  } else if (owner_) {
    owner_->free(shared_from_this());
  }
  if (events) events->on_end(trailers);
  return false;
}

void H1ClientConnection::on_eof() {
  if (exchange_ && answered_ && decoder_.finish() == http::H1Decoder::Event::kEnd) {
    write_failed_ = true;  // delimited by the close: not reusable
    on_end({});
    return;
  }
  close(StreamError::kReset, answered_ ? "closed in the middle of a response" : "closed without a response");
}

void H1ClientConnection::send(std::string_view bytes) {
  if (write_failed_) return;
  next_.append(bytes);
  if (unsent_bytes() > kHighWater) over_high_water_ = true;
  flush();
}

void H1ClientConnection::flush() {
  if (!stream_ || !writing_.empty() || next_.empty()) return;
  std::swap(writing_, next_);
  const std::string_view part = writing_;
  stream_->write({&part, 1}, [this](Result<void> result) { written(std::move(result)); });
}

void H1ClientConnection::written(Result<void> result) {
  const auto self = shared_from_this();
  writing_.clear();
  if (!result) {
    // The backend may have answered before it closed: the read decides what became of the exchange.
    write_failed_ = true;
    next_.clear();
  }
  flush();
  if (over_high_water_ && unsent_bytes() <= kLowWater) {
    over_high_water_ = false;
    if (exchange_ && exchange_->events) exchange_->events->on_writable();
  }
}

}  // namespace tidegate::session
