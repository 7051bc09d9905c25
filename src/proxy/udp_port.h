// SPDX-License-Identifier: Apache-2.0
// One worker's UDP socket on one address and port, and the sessions of its clients: who sends from one
// address and port talks to one backend until neither says anything for kUdpIdle, or until that backend's
// endpoint is gone; then the next datagram is dealt anew. The kernel gives each client to one worker. Thread:
// its worker's. Owns: the socket, the sessions and their sockets.
#pragma once

#include <map>
#include <memory>
#include <string_view>

#include "net/udp.h"
#include "proxy/tunnel.h"

namespace tidegate::proxy {

class UdpPort {
 public:
  UdpPort(Worker& worker, net::Address address) : worker_(worker), address_(std::move(address)) {}
  ~UdpPort();  // sessions end

  Result<void> open(bool reuse_port);
  void use(WorkerTablePtr table, const routing::CompiledPort& port, ListenerCell& counts);

 private:
  using Peer = net::UdpSocket::Peer;
  struct Session {
    BackendEndpointPtr endpoint;             // null: this client's share of the weights leads nowhere
    std::unique_ptr<net::UdpSocket> socket;  // to it
    std::shared_ptr<TunnelSeries> series;
    SteadyTime used;
  };
  using Sessions = std::map<Peer, Session>;

  void on_datagram(const Peer& client, std::string_view datagram);
  void on_answer(const Peer& client, std::string_view datagram);
  void on_refused(const Peer& client);
  Sessions::iterator begin_session(const Peer& client);  // end(): there is no room, or no route
  bool connect(Session& session, const BackendView& view, const Peer& client);
  Sessions::iterator end_session(Sessions::iterator session);
  TunnelCell& cell(const Session& session) const;
  void sweep_later();

  Worker& worker_;
  const net::Address address_;
  std::unique_ptr<net::UdpSocket> socket_;
  WorkerTablePtr table_;
  const routing::CompiledPort* port_ = nullptr;
  ListenerCell* counts_ = nullptr;
  Sessions sessions_;
  std::unique_ptr<Scheduler::Timer> sweep_timer_;
};

}  // namespace tidegate::proxy
