// SPDX-License-Identifier: Apache-2.0
#include "session/client_pool.h"

#include <algorithm>
#include <deque>
#include <list>
#include <set>
#include <utility>
#include <vector>

#include "http/h1_encoder.h"
#include "session/h1_client.h"
#include "session/h2_pool.h"

namespace tidegate::session {
namespace {

constexpr Duration kSweepEvery = std::chrono::seconds(5);

class PooledStream final : public ClientStream {
 public:
  explicit PooledStream(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~PooledStream() override {
    exchange_->events = nullptr;
    if (exchange_->connection) exchange_->connection->abandon();
  }

  void send_data(std::string_view data) override {
    if (!closed() && !data.empty()) exchange_->send_data(data);
  }
  void send_end(const http::Headers& trailers) override {
    if (!closed()) exchange_->send_end(trailers);
  }
  std::size_t unsent_bytes() const override {
    return exchange_->connection ? exchange_->connection->unsent_bytes() : exchange_->waiting.size();
  }
  void pause() override {
    if (exchange_->connection) exchange_->connection->pause();
  }
  void resume() override {
    if (exchange_->connection) exchange_->connection->resume();
  }

 private:
  bool closed() const { return exchange_->over() || exchange_->request_complete; }
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace

StreamError connect_failure(const Error& error) {
  if (error.code == ErrorCode::kTimeout) return StreamError::kConnectTimeout;
  return error.detail.starts_with("TLS") ? StreamError::kTls : StreamError::kConnectRefused;
}

struct ClientPool::State final : H1ClientConnection::Owner, std::enable_shared_from_this<ClientPool::State> {
  // An attempt to connect: whichever request is first in line takes the connection.
  struct Attempt {
    std::unique_ptr<net::Handshake> handle;
    std::unique_ptr<Scheduler::Timer> deadline;
  };
  using Attempts = std::list<Attempt>;

  State(asio::io_context& io, Scheduler& scheduler, Endpoint endpoint, ClientLimits limits)
      : io(io), scheduler(scheduler), endpoint(std::move(endpoint)), limits(limits) {
    if (this->endpoint.tls) session = net::make_tls_session();
  }

  void place(std::shared_ptr<Exchange> exchange, const http::RequestHead& head);
  void connect();
  void connect_for_waiting();
  void connected(Attempts::iterator attempt, Result<std::unique_ptr<net::Stream>> stream);
  std::shared_ptr<Exchange> next_waiting(bool for_new = true);
  void sweep();
  void close_all();

  void free(const std::shared_ptr<H1ClientConnection>& connection) override;
  void closed(const std::shared_ptr<H1ClientConnection>& connection) override;

  asio::io_context& io;
  Scheduler& scheduler;
  const Endpoint endpoint;
  std::shared_ptr<net::TlsSession> session;
  const ClientLimits limits;
  std::set<std::shared_ptr<H1ClientConnection>> connections;
  std::vector<std::shared_ptr<H1ClientConnection>> idle;  // the most recently used last
  std::deque<std::shared_ptr<Exchange>> waiting;
  Attempts attempts;
  bool ended = false;
  std::unique_ptr<Scheduler::Timer> sweeper;
};

void ClientPool::State::place(std::shared_ptr<Exchange> exchange, const http::RequestHead& head) {
  if (!exchange->wants_new && !idle.empty()) {
    const auto connection = std::move(idle.back());
    idle.pop_back();
    return connection->carry(std::move(exchange), &head);
  }
  std::erase_if(waiting, [](const auto& one) { return one->over(); });
  if (waiting.size() >= limits.max_pending) {
    return scheduler.post([exchange] {
      exchange->fail(StreamError::kOverflow, true, "too many requests wait for a connection");
    });
  }
  http::encode_head(head, {.upgrade = exchange->upgrade}, exchange->waiting);
  if (exchange->request_complete && exchange->chunked) http::encode_last_chunk({}, exchange->waiting);
  waiting.push_back(std::move(exchange));
  connect_for_waiting();
}

// One attempt for each request that waits, as far as the bound allows. Called whenever either number changes.
void ClientPool::State::connect_for_waiting() {
  if (ended || attempts.size() >= waiting.size()) return;
  if (connections.size() + attempts.size() < limits.max_connections) connect();
}

void ClientPool::State::connect() {
  const auto attempt = attempts.emplace(attempts.end());
  const std::weak_ptr<State> weak = weak_from_this();
  attempt->handle = net::connect(io, {endpoint.address, endpoint.tls, endpoint.server_name, session},
                                 [weak, attempt](Result<std::unique_ptr<net::Stream>> stream) {
                                   if (auto self = weak.lock()) self->connected(attempt, std::move(stream));
                                 });
  attempt->deadline = scheduler.after(limits.connect_timeout, [weak, attempt] {
    if (auto self = weak.lock())
      self->connected(attempt, Error{ErrorCode::kTimeout, "no connection in time"});
  });
}

void ClientPool::State::connected(Attempts::iterator attempt, Result<std::unique_ptr<net::Stream>> stream) {
  const auto self = shared_from_this();
  const Attempt ended = std::move(*attempt);  // its handle goes once this call is over
  attempts.erase(attempt);
  if (!stream) {
    if (auto exchange = next_waiting())
      exchange->fail(connect_failure(stream.error()), true, stream.error().detail);
    return connect_for_waiting();
  }
  auto connection = std::make_shared<H1ClientConnection>(std::move(*stream), limits.http, this);
  connections.insert(connection);
  connection->start();
  free(connection);
}

// The first in line for a connection that is new, or is not; null: none.
std::shared_ptr<Exchange> ClientPool::State::next_waiting(bool for_new) {
  std::erase_if(waiting, [](const auto& one) { return one->over(); });
  const auto next = std::find_if(waiting.begin(), waiting.end(),
                                 [for_new](const auto& one) { return for_new || !one->wants_new; });
  if (next == waiting.end()) return nullptr;
  auto exchange = std::move(*next);
  waiting.erase(next);
  return exchange;
}

void ClientPool::State::free(const std::shared_ptr<H1ClientConnection>& connection) {
  if (auto exchange = next_waiting(!connection->carried_before()))
    return connection->carry(std::move(exchange), nullptr);
  if (!waiting.empty()) return connection->close(StreamError::kNone, {});  // its place is for a new one
  if (idle.size() >= limits.max_idle) return connection->close(StreamError::kNone, {});
  connection->idle_since = scheduler.clock().steady_now();
  idle.push_back(connection);
  if (!sweeper) sweeper = scheduler.after(kSweepEvery, [this] { sweep(); });
}

void ClientPool::State::closed(const std::shared_ptr<H1ClientConnection>& connection) {
  connections.erase(connection);
  std::erase(idle, connection);
  // Its place may be what a request waits for.
  connect_for_waiting();
}

void ClientPool::State::sweep() {
  const auto oldest = scheduler.clock().steady_now() - limits.idle_timeout;
  const auto all = idle;
  for (const auto& connection : all) {
    if (connection->idle_since <= oldest) connection->close(StreamError::kNone, {});
  }
  sweeper = idle.empty() ? nullptr : scheduler.after(kSweepEvery, [this] { sweep(); });
}

void ClientPool::State::close_all() {
  ended = true;
  sweeper.reset();
  attempts.clear();
  idle.clear();
  for (const auto& connection : std::exchange(connections, {})) {
    connection->disown();
    connection->close(StreamError::kCancelled, "the pool was closed");
  }
  while (auto exchange = next_waiting()) exchange->fail(StreamError::kCancelled, true, "the pool was closed");
}

ClientPool::ClientPool(asio::io_context& io, Scheduler& scheduler, Endpoint endpoint, ClientLimits limits)
    : state_(std::make_shared<State>(io, scheduler, endpoint, limits)),
      h2_(endpoint.h2 ? std::make_shared<H2Pool>(io, scheduler, endpoint, limits) : nullptr) {}

ClientPool::~ClientPool() {
  state_->close_all();
  if (h2_) h2_->close_all();
}

std::unique_ptr<ClientStream> ClientPool::request(const http::RequestHead& head, bool end,
                                                  ClientStreamEvents& events, Connections which) {
  if (which == Connections::kNew) close_idle();
  if (h2_) return h2_->request(head, end, events);
  auto exchange = std::make_shared<Exchange>();
  exchange->events = &events;
  exchange->method = head.method;
  exchange->chunked = !head.content_length.has_value();
  exchange->request_complete = end;
  exchange->wants_new = which == Connections::kNew;
  if (http::opens_websocket(head)) exchange->upgrade = "websocket";
  auto stream = std::make_unique<PooledStream>(exchange);
  state_->place(std::move(exchange), head);
  return stream;
}

void ClientPool::close_idle() {
  if (h2_) return h2_->close_idle();
  for (const auto& connection : std::exchange(state_->idle, {})) connection->close(StreamError::kNone, {});
  for (const auto& connection : state_->connections) connection->retire();
}

std::size_t ClientPool::connections() const { return h2_ ? h2_->connections() : state_->connections.size(); }
std::size_t ClientPool::active() const {
  return h2_ ? h2_->active() : state_->connections.size() - state_->idle.size();
}

}  // namespace tidegate::session
