// SPDX-License-Identifier: Apache-2.0
// One worker's listening socket on one address and port, and the connections accepted by it. Which Gateway
// listener serves a request is decided request by request, from the worker's current table, so that a change
// of table touches neither socket nor connections. Thread: its worker's. Owns: the socket. Connections own
// themselves and hold the port until they end.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "net/listener.h"
#include "net/tls.h"
#include "proxy/backends.h"
#include "session/h1_server.h"

namespace tidegate::proxy {

class Worker;

class Port final : public session::RequestHandler, public std::enable_shared_from_this<Port> {
 public:
  Port(Worker& worker, net::Address address, const session::ServerLimits& limits)
      : worker_(worker), address_(std::move(address)), limits_(limits) {}

  Result<void> open(bool reuse_port);
  // `port` and `counts` are of `table`, which is pinned: connections that outlive the port's own place in the
  // tables finish with it.
  void use(WorkerTablePtr table, const routing::CompiledPort& port, ListenerCell& counts);
  Result<void> use_identities(std::vector<net::NamedIdentity> identities);  // empty: plain HTTP

  void stop_accepting() { listener_.reset(); }
  void drain();  // stops accepting; connections end with the response under way
  void close();  // all at once
  std::size_t connections() const { return connections_.size() + handshakes_.size(); }

 private:
  void on_accept(net::TcpSocket socket);
  void handshake(net::TcpSocket socket);
  void serve(std::unique_ptr<net::Stream> stream, std::string_view scheme);
  void on_request(http::RequestHead& head, bool expects_continue,
                  std::shared_ptr<session::ServerStream> stream) override;
  void on_refused(int status) override;
  void on_limit(session::Limit limit) override;

  struct Handshaking {
    std::unique_ptr<net::Handshake> handshake;
    std::unique_ptr<Scheduler::Timer> deadline;
  };

  Worker& worker_;
  const net::Address address_;
  const session::ServerLimits& limits_;
  std::unique_ptr<net::Listener> listener_;
  std::shared_ptr<net::TlsContext> tls_;
  std::vector<net::NamedIdentity> identities_;  // that tls_ was made of
  WorkerTablePtr table_;
  const routing::CompiledPort* port_ = nullptr;
  ListenerCell* counts_ = nullptr;
  std::unordered_set<session::ServerConnection*> connections_;
  std::unordered_map<std::uint64_t, Handshaking> handshakes_;
  std::uint64_t next_handshake_ = 0;
};

}  // namespace tidegate::proxy
