// SPDX-License-Identifier: Apache-2.0
#include "session/h2_server.h"

#include <utility>
#include <vector>

#include "http/h2_guard.h"
#include "session/h2_server_connection.h"

namespace tidegate::session {
namespace {

constexpr int kLooksEach = 4;  // at each time-out, so that it is kept to a quarter
constexpr std::uint64_t kProgress =
    4 * 1024;  // sending less than this in a time-out is none (zero-window stalls)

}  // namespace

H2ServerConnection::H2ServerConnection(std::unique_ptr<net::Stream> stream, ServerOptions options)
    : options_(std::move(options)),
      stream_(std::move(stream)),
      peer_(std::make_shared<Peer>(Peer{stream_->peer_address(), std::string(stream_->peer_common_name()),
                                        std::string(stream_->server_name())})),
      session_(http::H2Session::Role::kServer, options_.limits->http, options_.limits->h2, *this),
      out_(*stream_, *this),
      watch_(*options_.scheduler, [this] { on_watch(); }),
      write_deadline_(*options_.scheduler, [this] { on_write_deadline(); }),
      end_deadline_(*options_.scheduler, [this] { lingering_ ? end() : finish_drain(); }) {}

void H2ServerConnection::start() {
  idle_since_ = now();
  watch();
  if (!options_.received.empty()) return received(options_.received);
  write();
}

// ---- bytes ----

// While a client does not take what was put out for it, it may not ask for more.
void H2ServerConnection::read() {
  if (reading_ || closed_ || out_.unsent() >= kHighWater) return;
  reading_ = true;
  buffer_.resize(!streams_.empty() && (filled_ || buffer_.is_large()), {});
  stream_->read({buffer_.data(), buffer_.size()},
                [self = shared_from_this()](const Result<std::size_t>& bytes) { self->on_read(bytes); });
}

void H2ServerConnection::on_read(const Result<std::size_t>& bytes) {
  reading_ = false;
  if (closed_) return;
  if (!bytes && bytes.error().code == ErrorCode::kLimit) options_.handler->on_limit(Limit::kTlsChatter);
  if (!bytes || *bytes == 0) return abort(StreamError::kReset);
  filled_ = *bytes == buffer_.size();
  if (!lingering_) return received({buffer_.data(), *bytes});
  drained_ += *bytes;
  return drained_ > limits().max_drain_bytes ? end() : read();
}

void H2ServerConnection::received(std::string_view bytes) {
  const auto self = shared_from_this();
  processing_ = true;
  session_.receive(bytes, now());
  processing_ = false;
  write();
}

void H2ServerConnection::write_soon() {
  if (processing_ || closed_ || std::exchange(write_posted_, true)) return;
  stream_->post([self = shared_from_this()] {
    self->write_posted_ = false;
    self->write();
  });
}

void H2ServerConnection::write() {
  if (closed_ || lingering_) return;
  const auto self = shared_from_this();
  // What the socket does not take at once waits in the session, where its streams see it.
  do {
    session_.produce(out_.buffer(), kHighWater);
    if (out_.buffer().empty()) break;
    out_.flush();
  } while (!out_.waiting());
  if (out_.waiting() && !std::exchange(write_timed_, true)) write_deadline_.set(limits().write_idle_timeout);
  wake_streams();
  if (closed_) return;
  if (session_.finished() && out_.unsent() == 0) return linger();
  read();
}

void H2ServerConnection::on_sent() {
  if (closed_) return;
  write_timed_ = false;
  if (!out_.waiting()) write_deadline_.clear();
  write();
}

void H2ServerConnection::wake_streams() {
  if (!std::exchange(any_over_high_water_, false)) return;
  std::vector<std::shared_ptr<H2ServerStream>> woken;
  for (const auto& [_, stream] : streams_) {
    if (!stream->over_high_water_) continue;
    if (stream->unsent_bytes() <= kLowWater)
      woken.push_back(stream);
    else
      any_over_high_water_ = true;
  }
  for (const auto& stream : woken) {
    stream->over_high_water_ = false;
    if (stream->events_ && !stream->response_done_) stream->events_->on_writable();
  }
}

// ---- streams ----

H2ServerStream* H2ServerConnection::find(http::H2StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

void H2ServerConnection::on_request(http::H2StreamId id, http::RequestHead head, bool expects_continue) {
  if (closed_) return;
  greeted_ = true;
  const auto stream = std::make_shared<H2ServerStream>(*this, id, peer_);
  streams_.emplace(id, stream);
  stream->head_ = std::move(head);
  stream->head_.scheme = options_.scheme;
  stream->method_ = stream->head_.method;
  stream->expects_continue_ = expects_continue;
  stream->received_at_ = stream->sent_at_ = now();
  stream->websocket_ = http::opens_websocket(stream->head_);
  if (stream->websocket_) session_.hold(id, true);
  options_.handler->on_request(stream->head_, expects_continue, stream);
  if (!stream->websocket_) return;
  // The request is whole, as one of HTTP/1.1 would be.
  stream->request_done_ = true;
  if (stream->events_) stream->events_->on_end({});
}

void H2ServerConnection::begin_tunnel(const std::shared_ptr<H2ServerStream>& stream) {
  if (closed_ || stream->connection_ == nullptr) return;
  stream->websocket_ = false;
  if (!stream->paused_) session_.hold(stream->id_, false);
  const std::string early = std::exchange(stream->early_, {});
  if (!early.empty() && stream->events_) stream->events_->on_data(early);
  if (stream->early_end_) on_end(stream->id_, {});
  write_soon();
}

void H2ServerConnection::on_data(http::H2StreamId id, std::string_view data) {
  H2ServerStream* stream = find(id);
  if (stream == nullptr) return;
  stream->expects_continue_ = false;  // it went on without being asked to
  stream->received_at_ = now();
  if (stream->websocket_) return void(stream->early_.append(data));
  if (stream->events_) stream->events_->on_data(data);
}

void H2ServerConnection::on_end(http::H2StreamId id, const http::Headers& trailers) {
  H2ServerStream* stream = find(id);
  if (stream == nullptr) return;
  stream->early_end_ = stream->websocket_;
  if (stream->websocket_) return;
  stream->request_done_ = true;
  if (stream->events_) stream->events_->on_end(trailers);
}

void H2ServerConnection::on_closed(http::H2StreamId id, http::H2Code code) {
  const auto node = streams_.extract(id);
  if (node.empty()) return;
  const auto& stream = node.mapped();
  stream->connection_ = nullptr;
  if (streams_.empty()) idle_since_ = now();
  const bool whole = stream->request_done_ && stream->response_done_ && code == http::H2Code::kNoError;
  ServerStreamEvents* events = std::exchange(stream->events_, nullptr);
  if (whole || !events) return;
  events->on_abort(code == http::H2Code::kCancel ? StreamError::kReset : StreamError::kProtocol);
}

// ---- time ----

void H2ServerConnection::watch() {
  const Duration next = std::min({limits().header_timeout, limits().body_idle_timeout,
                                  limits().write_idle_timeout, limits().keep_alive_timeout});
  watch_.set(std::max(next / kLooksEach, Duration(1)));
}

void H2ServerConnection::on_watch() {
  const auto self = shared_from_this();
  const SteadyTime at = now();
  if (streams_.empty()) {
    const Duration patience = greeted_ ? limits().keep_alive_timeout : limits().header_timeout;
    if (at >= idle_since_ + patience) {
      if (!greeted_) options_.handler->on_limit(Limit::kHeaderTimeout);
      session_.fail(http::H2Code::kNoError);
    }
  }
  std::vector<std::shared_ptr<H2ServerStream>> late;
  for (const auto& [_, stream] : streams_) {
    const auto limit = timed_out(*stream, at);
    if (!limit) continue;
    options_.handler->on_limit(*limit);
    late.push_back(stream);
  }
  for (const auto& stream : late) {
    session_.reset(stream->id_, http::H2Code::kCancel);
    if (ServerStreamEvents* events = std::exchange(stream->events_, nullptr))
      events->on_abort(StreamError::kTimeout);
  }
  write();
  if (!closed_ && !lingering_) watch();
}

std::optional<Limit> H2ServerConnection::timed_out(H2ServerStream& stream, SteadyTime at) {
  const std::uint64_t sent = session_.sent(stream.id_);
  if (session_.unsent(stream.id_) == 0 || sent >= stream.sent_then_ + kProgress) {
    stream.sent_at_ = at;
    stream.sent_then_ = sent;
  }
  const bool moved = stream.tunnel_ && sent > stream.sent_before_;
  stream.sent_before_ = sent;
  if ((stream.request_done_ && !stream.tunnel_) || stream.paused_ || moved) stream.received_at_ = at;
  const Duration quiet = stream.tunnel_ ? limits().tunnel_idle_timeout : limits().body_idle_timeout;
  if (at >= stream.sent_at_ + limits().write_idle_timeout) return Limit::kWriteIdleTimeout;
  if (at < stream.received_at_ + quiet) return std::nullopt;
  return stream.tunnel_ ? Limit::kTunnelIdleTimeout : Limit::kBodyIdleTimeout;
}

void H2ServerConnection::on_write_deadline() {
  const auto self = shared_from_this();
  options_.handler->on_limit(Limit::kWriteIdleTimeout);
  abort(StreamError::kTimeout);
}

void H2ServerConnection::on_refused(http::H2StreamId, int status) {
  options_.handler->on_refused(status);
  if (const auto limit = limit_behind(status)) options_.handler->on_limit(*limit);
}

void H2ServerConnection::on_flood(http::H2Nuisance what) { options_.handler->on_limit(limit_behind(what)); }

// ---- ends ----

// RFC 9113 section 6.8: first a notice, so that requests on their way are still served; once the client has
// heard it (or does not say), the last stream is named.
void H2ServerConnection::drain() {
  if (closed_ || std::exchange(draining_, true)) return;
  session_.announce_shutdown();
  session_.ping();
  end_deadline_.set(limits().linger_timeout);
  write_soon();
}

void H2ServerConnection::finish_drain() {
  if (closed_ || !draining_) return;
  end_deadline_.clear();
  session_.shut_down();
  write_soon();
}

void H2ServerConnection::close() { abort(StreamError::kCancelled); }

void H2ServerConnection::abort(StreamError error) {
  if (closed_) return;
  const auto self = shared_from_this();
  drop_streams(error);
  end();
}

void H2ServerConnection::drop_streams(StreamError error) {
  for (const auto& [_, stream] : std::exchange(streams_, {})) {
    stream->connection_ = nullptr;
    if (ServerStreamEvents* events = std::exchange(stream->events_, nullptr)) events->on_abort(error);
  }
}

// Closing with bytes unread resets the connection and may take the GOAWAY away from the client.
void H2ServerConnection::linger() {
  const auto self = shared_from_this();
  lingering_ = true;
  drop_streams(StreamError::kProtocol);
  stream_->shutdown_write();
  end_deadline_.set(limits().linger_timeout);
  read();
}

void H2ServerConnection::end() {
  if (std::exchange(closed_, true)) return;
  out_.stop();
  watch_.stop();
  write_deadline_.stop();
  end_deadline_.stop();
  stream_->close();
  if (const auto closed = std::exchange(options_.closed, nullptr)) closed(this);
}

std::shared_ptr<ServerConnection> serve_h2(std::unique_ptr<net::Stream> stream, ServerOptions options) {
  auto connection = std::make_shared<H2ServerConnection>(std::move(stream), std::move(options));
  connection->start();
  return connection;
}

}  // namespace tidegate::session
