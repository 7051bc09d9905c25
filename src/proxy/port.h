// SPDX-License-Identifier: Apache-2.0
// One worker's listening socket on one address and port, and the connections accepted by it. Which Gateway
// listener serves a request is decided request by request, from the worker's current table, so that a change
// of table touches neither socket nor connections. TLS that is not ours to end and TCP go into tunnels, whose
// listener is decided once: by the name in the ClientHello, or there is but one. Thread: its worker's. Owns:
// the socket. Connections own themselves and hold the port until they end.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "net/listener.h"
#include "net/tls.h"
#include "proxy/backends.h"
#include "proxy/tunnel.h"
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
  // `https` empty: plain HTTP. `tls`: of listeners that end TLS and carry on what is in it. Connections of
  // clients that could not begin anew end with the response under way. Of what can't be used the port keeps
  // what it had, unless more is asked of clients now: then it ends every handshake.
  Result<void> use_identities(std::vector<net::NamedIdentity> https, std::vector<net::NamedIdentity> tls);

  void stop_accepting() { listener_.reset(); }
  void drain();  // stops accepting; connections end with the response under way, tunnels by themselves
  void close();  // all at once
  std::size_t connections() const { return connections_.size() + handshakes_.size() + tunnels_.size(); }

 private:
  struct Client {  // what a connection over TLS was let in for
    std::string server_name;
    std::shared_ptr<const net::ClientProof> proof;
  };

  void on_accept(net::TcpSocket socket);
  // Keeps what begin(done) returns until it calls `done`, or until tls_timeout, when `late` is called.
  using Done = std::function<void()>;
  template <typename Begin>
  void wait_for(Begin begin, Done late);
  void handshake(net::TcpSocket socket);
  void refuse_client(const std::string& why, const std::string& client);
  void drop_unadmitted();
  void peek(net::TcpSocket socket);
  void route(const std::string& server_name, net::TcpSocket socket);
  void end_tls(net::TcpSocket socket, const std::string& hostname, TunnelChoice choice);
  void open_tunnel(net::TcpSocket socket, const routing::CompiledListener& listener,
                   const std::string& server_name);
  void open_tunnel(std::unique_ptr<net::Stream> client, WorkerTablePtr table, TunnelChoice choice);
  void refuse(net::TcpSocket socket, Refusal why);
  using ByHostname = std::map<std::string, std::shared_ptr<net::TlsContext>>;
  using Contexts = std::pair<std::shared_ptr<net::TlsContext>, ByHostname>;  // HTTPS, tunnels
  static Result<Contexts> make_contexts(const std::vector<net::NamedIdentity>& https,
                                        const std::vector<net::NamedIdentity>& tls);
  void serve_tls(std::unique_ptr<net::Stream> stream);
  void serve(std::unique_ptr<net::Stream> stream, std::string_view scheme,
             std::unique_ptr<Client> client = nullptr);
  std::vector<session::ServerConnection*> open_connections() const;
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
  std::vector<net::NamedIdentity> tunnel_identities_;
  ByHostname tunnel_tls_;  // of those, by the listener's
  WorkerTablePtr table_;
  const routing::CompiledPort* port_ = nullptr;
  ListenerCell* counts_ = nullptr;
  std::unordered_map<session::ServerConnection*, std::unique_ptr<Client>> connections_;  // null: in the clear
  std::unordered_set<Tunnel*> tunnels_;
  std::unordered_map<std::uint64_t, Handshaking> handshakes_;
  std::uint64_t next_handshake_ = 0;
  std::optional<SteadyTime> refusal_logged_;
  std::uint64_t refusals_unlogged_ = 0;
};

}  // namespace tidegate::proxy
