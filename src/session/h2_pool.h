// SPDX-License-Identifier: Apache-2.0
// HTTP/2 connections to one endpoint, with prior knowledge: one carries as many requests as both sides allow,
// further ones are opened only beyond that. Behind ClientPool's interface. Thread: its loop's. Owns: its
// connections.
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <vector>

#include "session/client_pool.h"
#include "session/h2_client.h"

namespace tidegate::session {

class H2Pool final : public H2ClientConnection::Owner, public std::enable_shared_from_this<H2Pool> {
 public:
  H2Pool(asio::io_context& io, Scheduler& scheduler, Endpoint endpoint, ClientLimits limits)
      : io_(io),
        scheduler_(scheduler),
        endpoint_(std::move(endpoint)),
        limits_(limits),
        session_(endpoint_.tls ? net::make_tls_session() : nullptr),
        streams_(limits.h2.concurrent_streams) {}

  std::unique_ptr<ClientStream> request(const http::RequestHead& head, bool end, ClientStreamEvents& events);
  void close_idle();
  void close_all();
  std::size_t connections() const { return connections_.size(); }
  std::size_t active() const;

 private:
  using Connection = std::shared_ptr<H2ClientConnection>;
  struct Attempt {
    std::unique_ptr<net::Handshake> handle;
    std::unique_ptr<Scheduler::Timer> deadline;
  };
  using Attempts = std::list<Attempt>;

  void room(const Connection& connection) override;
  void closed(const Connection& connection) override;
  void place(std::shared_ptr<H2Exchange> exchange);
  void connect();
  void connect_for_waiting();
  void connected(Attempts::iterator attempt, Result<std::unique_ptr<net::Stream>> stream);
  std::shared_ptr<H2Exchange> next_waiting();
  void sweep();

  asio::io_context& io_;
  Scheduler& scheduler_;
  const Endpoint endpoint_;
  const ClientLimits limits_;
  const std::shared_ptr<net::TlsSession> session_;
  std::vector<Connection> connections_;
  std::deque<std::shared_ptr<H2Exchange>> waiting_;
  Attempts attempts_;
  std::unique_ptr<Scheduler::Timer> sweeper_;
  std::size_t streams_;  // that a connection carries, as far as is known
  bool ended_ = false;
};

}  // namespace tidegate::session
