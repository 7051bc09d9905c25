// SPDX-License-Identifier: Apache-2.0
#include "session/h2_client.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tidegate::session {

void H2Exchange::fail(StreamError error, bool unsent, std::string_view detail) {
  connection = nullptr;
  if (auto* told = std::exchange(events, nullptr)) told->on_error(error, unsent, detail);
}

H2ClientConnection::H2ClientConnection(std::unique_ptr<net::Stream> stream, const ClientLimits& limits,
                                       Scheduler& scheduler, std::size_t assumed_streams, Owner* owner)
    : stream_(std::move(stream)),
      limits_(limits),
      scheduler_(scheduler),
      assumed_streams_(assumed_streams),
      owner_(owner),
      session_(http::H2Session::Role::kClient, limits.http, limits.h2, *this),
      out_(*stream_, *this),
      watch_(scheduler, [this] { on_watch(); }),
      heard_at_(scheduler.clock().steady_now()),
      patience_(limits.ping_after) {}

void H2ClientConnection::start() {
  write_soon();
  read();
}

// ---- requests ----

bool H2ClientConnection::has_room() const {
  return !closed_ && !retiring_ && exchanges_.size() < max_streams();
}

// A peer's first frame holds its settings (RFC 9113 section 3.4).
std::size_t H2ClientConnection::max_streams() const {
  return heard_ ? std::min(session_.peer_max_streams(), limits_.h2.concurrent_streams) : assumed_streams_;
}

bool H2ClientConnection::carry(const std::shared_ptr<H2Exchange>& exchange) {
  H2Exchange& one = *exchange;
  if (one.websocket && !session_.peer_takes_websockets()) {
    scheduler_.post([exchange] {
      exchange->fail(StreamError::kUnsupported, false, "it takes no WebSockets over HTTP/2 (RFC 8441)");
    });
    return true;
  }
  const bool bodiless = one.request_complete && one.waiting.empty() && one.trailers.empty();
  one.id = session_.request(one.head, "http", bodiless);
  if (one.id == 0) {
    retiring_ = true;  // it has no more stream numbers
    write_soon();
    return false;
  }
  one.connection = this;
  one.head = {};
  if (exchanges_.empty()) watch_.set(limits_.ping_after);
  exchanges_.emplace(one.id, exchange);
  if (!one.waiting.empty()) session_.send_data(one.id, std::exchange(one.waiting, {}));
  if (one.request_complete && !bodiless) session_.send_end(one.id, one.trailers);
  one.over_high_water = unsent_bytes(one) > kHighWater;
  any_over_high_water_ |= one.over_high_water;
  write_soon();
  return true;
}

void H2ClientConnection::send_data(H2Exchange& exchange, std::string_view data) {
  session_.send_data(exchange.id, data);
  exchange.over_high_water |= unsent_bytes(exchange) > kHighWater;
  any_over_high_water_ |= exchange.over_high_water;
  write_soon();
}

void H2ClientConnection::send_end(H2Exchange& exchange, const http::Headers& trailers) {
  session_.send_end(exchange.id, trailers);
  write_soon();
}

void H2ClientConnection::cancel(H2Exchange& exchange) {
  const auto kept = take(exchange.id);
  session_.reset(exchange.id, http::H2Code::kCancel);
  write_soon();
}

void H2ClientConnection::hold(const H2Exchange& exchange, bool held) {
  session_.hold(exchange.id, held);
  if (!held) write_soon();
}

// ---- responses ----

H2Exchange* H2ClientConnection::find(http::H2StreamId id) {
  const auto found = exchanges_.find(id);
  return found == exchanges_.end() || found->second->over() ? nullptr : found->second.get();
}

std::shared_ptr<H2Exchange> H2ClientConnection::take(http::H2StreamId id) {
  auto node = exchanges_.extract(id);
  if (node.empty()) return nullptr;
  node.mapped()->connection = nullptr;
  return std::move(node.mapped());
}

void H2ClientConnection::on_response(http::H2StreamId id, http::ResponseHead head) {
  patience_ = limits_.ping_after;
  H2Exchange* exchange = find(id);
  if (exchange == nullptr) return;
  exchange->answered = true;
  exchange->events->on_head(head);
}

void H2ClientConnection::on_data(http::H2StreamId id, std::string_view data) {
  patience_ = limits_.ping_after;
  if (H2Exchange* exchange = find(id)) exchange->events->on_data(data);
}

void H2ClientConnection::on_end(http::H2StreamId id, const http::Headers& trailers) {
  const auto exchange = take(id);
  if (!exchange) return;
  // A response that came before all of the request was sent ends that too.
  if (!exchange->request_complete || session_.unsent(id) > 0) session_.reset(id, http::H2Code::kCancel);
  if (auto* events = std::exchange(exchange->events, nullptr)) events->on_end(trailers);
}

void H2ClientConnection::on_closed(http::H2StreamId id, http::H2Code code) {
  const auto exchange = take(id);
  if (!exchange) return;
  // RFC 9113 section 8.7: the backend says that it did nothing.
  if (code == http::H2Code::kRefused && !exchange->answered)
    return exchange->fail(StreamError::kRefused, true, "the backend refused the stream");
  exchange->fail(StreamError::kReset, false, "the backend reset the stream");
}

// ---- bytes ----

void H2ClientConnection::read() {
  if (closed_) return;
  stream_->read(buffer_,
                [self = shared_from_this()](const Result<std::size_t>& bytes) { self->on_read(bytes); });
}

void H2ClientConnection::on_read(const Result<std::size_t>& bytes) {
  if (closed_) return;
  if (!bytes) return close(StreamError::kReset, bytes.error().detail);
  if (*bytes == 0) return close(StreamError::kReset, "the backend closed the connection");
  heard_ = processing_ = true;
  heard_at_ = scheduler_.clock().steady_now();
  pinged_ = false;
  const bool open = session_.receive({buffer_.data(), *bytes}, heard_at_);
  processing_ = false;
  write();
  if (!open || session_.finished()) {
    if (!met_) return close(StreamError::kProtocol, "the backend's HTTP/2 session ended");
    const auto limit = kLimitNames[static_cast<std::size_t>(*met_)];
    return close(StreamError::kProtocol, "the backend met the limit " + std::string(limit));
  }
  after_end();
  read();
}

void H2ClientConnection::write_soon() {
  if (processing_ || closed_ || std::exchange(write_posted_, true)) return;
  stream_->post([self = shared_from_this()] {
    self->write_posted_ = false;
    self->write();
    self->after_end();
  });
}

void H2ClientConnection::write() {
  if (closed_) return;
  const auto self = shared_from_this();
  do {
    session_.produce(out_.buffer(), kHighWater);
    if (out_.buffer().empty()) break;
    out_.flush();
  } while (!closed_ && !out_.waiting());
  if (!closed_) wake();
}

void H2ClientConnection::wake() {
  if (!std::exchange(any_over_high_water_, false)) return;
  std::vector<std::shared_ptr<H2Exchange>> woken;
  for (const auto& [_, exchange] : exchanges_) {
    if (!exchange->over_high_water) continue;
    if (unsent_bytes(*exchange) <= kLowWater)
      woken.push_back(exchange);
    else
      any_over_high_water_ = true;
  }
  for (const auto& exchange : woken) {
    exchange->over_high_water = false;
    if (exchange->events) exchange->events->on_writable();
  }
}

// ---- ends ----

// What follows once exchanges have ended: others may come, or the connection goes.
void H2ClientConnection::after_end() {
  if (closed_) return;
  if (retiring_ && exchanges_.empty() && out_.unsent() == 0) return close(StreamError::kNone, {});
  if (exchanges_.empty()) idle_since = scheduler_.clock().steady_now();
  if (owner_ != nullptr) owner_->room(shared_from_this());
}

// A host that lost its power closes nothing: what waits for it would wait for its own time-out, and what
// comes after would follow.
void H2ClientConnection::on_watch() {
  if (closed_ || exchanges_.empty()) return;
  if (pinged_) return close(StreamError::kReset, "the backend does not answer a ping");
  const Duration silence = scheduler_.clock().steady_now() - heard_at_;
  if (silence < patience_) return watch_.set(patience_ - silence);
  pinged_ = true;
  patience_ = limits_.ping_again;
  session_.ping();
  watch_.set(limits_.ping_timeout);
  write_soon();
}

void H2ClientConnection::retire() {
  retiring_ = true;
  if (exchanges_.empty()) close(StreamError::kNone, {});
}

void H2ClientConnection::close(StreamError error, std::string_view detail) {
  if (closed_) return;
  const auto self = shared_from_this();
  closed_ = true;
  watch_.stop();
  out_.stop();
  stream_->close();
  const auto left = std::exchange(exchanges_, {});
  if (auto* owner = std::exchange(owner_, nullptr)) owner->closed(self);
  for (const auto& [_, exchange] : left) {
    // As on a reused HTTP/1 connection: it may be repeated where that does no harm.
    const bool repeatable = error == StreamError::kReset && !exchange->answered;
    exchange->fail(error, repeatable, detail);
  }
}

}  // namespace tidegate::session
