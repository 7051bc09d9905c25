// SPDX-License-Identifier: Apache-2.0
#include "session/h2_pool.h"

#include <algorithm>
#include <utility>

namespace tidegate::session {
namespace {

constexpr Duration kSweepEvery = std::chrono::seconds(5);

class H2PooledStream final : public ClientStream {
 public:
  explicit H2PooledStream(std::shared_ptr<H2Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~H2PooledStream() override {
    exchange_->events = nullptr;
    if (exchange_->connection) exchange_->connection->cancel(*exchange_);
  }

  void send_data(std::string_view data) override {
    if (closed() || data.empty()) return;
    if (exchange_->connection) return exchange_->connection->send_data(*exchange_, data);
    exchange_->waiting.append(data);
  }
  void send_end(const http::Headers& trailers) override {
    if (closed()) return;
    exchange_->request_complete = true;
    if (exchange_->connection) return exchange_->connection->send_end(*exchange_, trailers);
    exchange_->trailers = trailers;
  }
  std::size_t unsent_bytes() const override {
    return exchange_->connection ? exchange_->connection->unsent_bytes(*exchange_)
                                 : exchange_->waiting.size();
  }
  void pause() override {
    if (exchange_->connection) exchange_->connection->hold(*exchange_, true);
  }
  void resume() override {
    if (exchange_->connection) exchange_->connection->hold(*exchange_, false);
  }

 private:
  bool closed() const { return exchange_->over() || exchange_->request_complete; }
  std::shared_ptr<H2Exchange> exchange_;
};

bool knows_enough(const H2ClientConnection& connection, const H2Exchange& exchange) {
  return connection.heard() || !exchange.websocket;
}

}  // namespace

std::unique_ptr<ClientStream> H2Pool::request(const http::RequestHead& head, bool end,
                                              ClientStreamEvents& events) {
  auto exchange = std::make_shared<H2Exchange>();
  exchange->events = &events;
  exchange->head = head;
  exchange->request_complete = end;
  exchange->websocket = http::opens_websocket(head);
  auto stream = std::make_unique<H2PooledStream>(exchange);
  place(std::move(exchange));
  return stream;
}

void H2Pool::place(std::shared_ptr<H2Exchange> exchange) {
  for (const Connection& connection : connections_) {
    if (connection->has_room() && knows_enough(*connection, *exchange) && connection->carry(exchange)) return;
  }
  std::erase_if(waiting_, [](const auto& one) { return one->over(); });
  if (waiting_.size() >= limits_.max_pending) {
    return scheduler_.post([exchange] {
      exchange->fail(StreamError::kOverflow, true, "too many requests wait for a connection");
    });
  }
  waiting_.push_back(std::move(exchange));
  connect_for_waiting();
}

// One attempt for as many requests as a connection carries. One that stands and has not said yet what it
// offers is as good as an attempt: WebSockets wait for that.
void H2Pool::connect_for_waiting() {
  const auto silent = std::count_if(connections_.begin(), connections_.end(),
                                    [](const auto& c) { return !c->heard() && c->has_room(); });
  const std::size_t coming = attempts_.size() + static_cast<std::size_t>(silent);
  if (ended_ || coming * streams_ >= waiting_.size()) return;
  if (connections_.size() + attempts_.size() < limits_.max_connections) connect();
}

void H2Pool::connect() {
  const auto attempt = attempts_.emplace(attempts_.end());
  const std::weak_ptr<H2Pool> weak = weak_from_this();
  attempt->handle = net::connect(io_, {endpoint_.address, endpoint_.tls, endpoint_.server_name, session_},
                                 [weak, attempt](Result<std::unique_ptr<net::Stream>> stream) {
                                   if (auto self = weak.lock()) self->connected(attempt, std::move(stream));
                                 });
  attempt->deadline = scheduler_.after(limits_.connect_timeout, [weak, attempt] {
    if (auto self = weak.lock())
      self->connected(attempt, Error{ErrorCode::kTimeout, "no connection in time"});
  });
}

void H2Pool::connected(Attempts::iterator attempt, Result<std::unique_ptr<net::Stream>> stream) {
  const auto self = shared_from_this();
  const Attempt ended = std::move(*attempt);  // its handle goes once this call is over
  attempts_.erase(attempt);
  if (!stream) {
    if (auto exchange = next_waiting())
      exchange->fail(connect_failure(stream.error()), true, stream.error().detail);
    return connect_for_waiting();
  }
  auto connection =
      std::make_shared<H2ClientConnection>(std::move(*stream), limits_, scheduler_, streams_, this);
  connections_.push_back(connection);
  connection->start();
  room(connection);
  if (connection->busy()) connect_for_waiting();
}

std::shared_ptr<H2Exchange> H2Pool::next_waiting() {
  while (!waiting_.empty()) {
    auto exchange = std::move(waiting_.front());
    waiting_.pop_front();
    if (!exchange->over()) return exchange;
  }
  return nullptr;
}

void H2Pool::room(const Connection& connection) {
  streams_ = std::max<std::size_t>(connection->max_streams(), 1);
  while (connection->has_room()) {
    auto exchange = next_waiting();
    if (!exchange) break;
    if (!knows_enough(*connection, *exchange)) {  // the peer's settings are on their way
      waiting_.push_front(std::move(exchange));
      break;
    }
    if (!connection->carry(exchange)) waiting_.push_front(std::move(exchange));
  }
  if (!connection->busy() && !sweeper_) sweeper_ = scheduler_.after(kSweepEvery, [this] { sweep(); });
}

void H2Pool::closed(const Connection& connection) {
  std::erase(connections_, connection);
  connect_for_waiting();
}

void H2Pool::sweep() {
  const auto oldest = scheduler_.clock().steady_now() - limits_.idle_timeout;
  const auto all = connections_;
  bool any_idle = false;
  for (const Connection& connection : all) {
    if (connection->busy()) continue;
    if (connection->idle_since <= oldest)
      connection->close(StreamError::kNone, {});
    else
      any_idle = true;
  }
  sweeper_ = any_idle ? scheduler_.after(kSweepEvery, [this] { sweep(); }) : nullptr;
}

void H2Pool::close_idle() {
  const auto all = connections_;
  for (const Connection& connection : all) connection->retire();
}

void H2Pool::close_all() {
  ended_ = true;
  sweeper_.reset();
  attempts_.clear();
  for (const Connection& connection : std::exchange(connections_, {})) {
    connection->disown();
    connection->close(StreamError::kCancelled, "the pool was closed");
  }
  while (auto exchange = next_waiting()) exchange->fail(StreamError::kCancelled, true, "the pool was closed");
}

std::size_t H2Pool::active() const {
  return static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(), [](const auto& c) { return c->busy(); }));
}

}  // namespace tidegate::session
