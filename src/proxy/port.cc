// SPDX-License-Identifier: Apache-2.0
#include "proxy/port.h"

#include <algorithm>
#include <tuple>

#include "base/log.h"
#include "net/peek_hello.h"
#include "proxy/worker.h"
#include "routing/match.h"
#include "session/serve.h"

namespace tidegate::proxy {

Result<void> Port::open(bool reuse_port) {
  net::Listener::Options options;
  options.address = address_;
  options.reuse_port = reuse_port;
  auto opened = net::Listener::open(worker_.io(), options,
                                    [this](net::TcpSocket socket) { on_accept(std::move(socket)); });
  if (!opened) return opened.error();
  listener_ = std::move(*opened);
  return {};
}

void Port::use(WorkerTablePtr table, const routing::CompiledPort& port, ListenerCell& counts) {
  if (&counts != counts_) {
    const auto open = static_cast<std::int64_t>(connections_.size() + tunnels_.size());
    if (counts_ != nullptr) counts_->connections.add(-open);
    counts.connections.add(open);
  }
  counts_ = &counts;
  port_ = &port;
  table_ = std::move(table);
}

namespace {

// Whether clients need something for a name that they did not need before.
bool asks_for_more(const std::vector<net::NamedIdentity>& before,
                   const std::vector<net::NamedIdentity>& now) {
  return std::any_of(now.begin(), now.end(), [&](const auto& identity) {
    if (identity.client_ca_pem.empty() || identity.clients_may_go_without) return false;
    return std::none_of(before.begin(), before.end(), [&](const auto& old) {
      return old.hostname == identity.hostname && old.client_ca_pem == identity.client_ca_pem &&
             !old.clients_may_go_without;
    });
  });
}

}  // namespace

Result<void> Port::use_identities(std::vector<net::NamedIdentity> https,
                                  std::vector<net::NamedIdentity> tls) {
  if (https == identities_ && tls == tunnel_identities_) return {};
  auto made = make_contexts(https, tls);
  if (!made) {
    if (!asks_for_more(identities_, https)) return made.error();
    tls_ = net::make_refusing_tls();
    identities_.clear();
    drop_unadmitted();
    return made.error();
  }
  std::tie(tls_, tunnel_tls_) = std::move(*made);
  identities_ = std::move(https);
  tunnel_identities_ = std::move(tls);
  drop_unadmitted();
  return {};
}

Result<Port::Contexts> Port::make_contexts(const std::vector<net::NamedIdentity>& https,
                                           const std::vector<net::NamedIdentity>& tls) {
  Contexts out;
  if (!https.empty()) {
    auto made = net::make_server_tls(https);
    if (!made) return made.error();
    out.first = std::move(*made);
  }
  for (const net::NamedIdentity& one : tls) {
    auto made = net::make_server_tls({one.identity, {}, false, {}});
    if (!made) return made.error();
    out.second.emplace(one.hostname, std::move(*made));
  }
  return out;
}

void Port::drop_unadmitted() {
  if (!tls_) return;
  std::vector<session::ServerConnection*> unadmitted;
  for (const auto& [connection, client] : connections_) {
    if (client && !net::admits(*tls_, client->server_name, client->proof.get()))
      unadmitted.push_back(connection);
  }
  for (session::ServerConnection* connection : unadmitted) {
    if (connections_.contains(connection)) connection->drain();
  }
}

void Port::on_accept(net::TcpSocket socket) {
  if (connections() >= limits_.max_connections)
    return worker_.limit_hit(Limit::kConnections);  // the socket closes
  const auto carries = [this](routing::Protocol protocol) {
    return std::any_of(port_->all.begin(), port_->all.end(),
                       [&](const auto* one) { return one->listener->protocol == protocol; });
  };
  if (carries(routing::Protocol::kTcp)) return open_tunnel(std::move(socket), *port_->all.front(), {});
  if (carries(routing::Protocol::kTls)) return peek(std::move(socket));
  if (tls_) return handshake(std::move(socket));
  serve(net::make_tcp_stream(std::move(socket)), "http");
}

template <typename Begin>
void Port::wait_for(Begin begin, Done late) {
  const std::uint64_t id = next_handshake_++;
  Handshaking& entry = handshakes_[id];
  const std::weak_ptr<Port> weak = weak_from_this();
  // Both ends of the story are posted: neither destroys the handshake from within its own callback.
  Scheduler& scheduler = worker_.scheduler();
  const auto over = [this, weak, id, &scheduler] {
    scheduler.post([this, weak, id] {
      if (const auto self = weak.lock()) handshakes_.erase(id);
    });
  };
  entry.deadline = scheduler.after(limits_.tls_timeout, [this, over, late] {
    worker_.limit_hit(Limit::kTlsTimeout);
    if (late) late();
    over();
  });
  entry.handshake = begin(over);
}

void Port::handshake(net::TcpSocket socket) {
  const asio::ip::address client = socket.peer().address();
  const auto begin = [&](Done done) {
    return net::accept_tls(
        std::move(socket), tls_,
        [this, weak = weak_from_this(), done, client](Result<std::unique_ptr<net::Stream>> stream) {
          const auto self = weak.lock();
          if (!self) return;
          if (!stream && stream.error().code == ErrorCode::kForbidden)
            refuse_client(stream.error().detail, client.to_string());
          if (stream) serve_tls(std::move(*stream));
          done();
        });
  };
  wait_for(begin, nullptr);
}

void Port::serve_tls(std::unique_ptr<net::Stream> stream) {
  auto client = std::make_unique<Client>(Client{std::string(stream->server_name()), stream->client_proof()});
  // Other clients may be wanted since it began.
  if (tls_ && !net::admits(*tls_, client->server_name, client->proof.get()))
    return refuse_client("other certificates are asked for now", stream->peer_address());
  serve(std::move(stream), "https", std::move(client));
}

// Each counts; the log has one at a time, as anybody can cause them.
void Port::refuse_client(const std::string& why, const std::string& client) {
  counts_->refuse(Refusal::kClientCertificate);
  const SteadyTime now = worker_.now();
  if (refusal_logged_ && now < *refusal_logged_ + kRefusalLogInterval) {
    ++refusals_unlogged_;
    return;
  }
  refusal_logged_ = now;
  log::info("client refused for its certificate", {{"at", net::to_string(address_)},
                                                   {"client", client},
                                                   {"why", why},
                                                   {"more", std::exchange(refusals_unlogged_, 0)}});
}

// ---- layer 4 ----

void Port::peek(net::TcpSocket socket) {
  const auto begin = [&](Done done) {
    return net::peek_hello(
        std::move(socket), [this, weak = weak_from_this(), done](auto name, net::TcpSocket peeked) {
          const auto self = weak.lock();
          if (!self) return;
          name ? route(*name, std::move(peeked)) : refuse(std::move(peeked), Refusal::kNoHello);
          done();
        });
  };
  wait_for(begin, [this] { counts_->refuse(Refusal::kNoHello); });
}

void Port::route(const std::string& server_name, net::TcpSocket socket) {
  const auto* listener = routing::find_listener(*port_, server_name);
  // Where HTTPS is served its own TLS tells the client that nobody has this name, or takes one without.
  if (listener == nullptr ? tls_ != nullptr : listener->listener->protocol == routing::Protocol::kHttp)
    return handshake(std::move(socket));
  if (listener == nullptr) return refuse(std::move(socket), Refusal::kNoRoute);
  open_tunnel(std::move(socket), *listener, server_name);
}

void Port::open_tunnel(net::TcpSocket socket, const routing::CompiledListener& listener,
                       const std::string& server_name) {
  const auto* rule = routing::match_tunnel(listener, server_name);
  auto choice = rule == nullptr ? TunnelChoice{} : choose_backend(*table_, *rule);
  if (!choice.series) return refuse(std::move(socket), Refusal::kNoRoute);
  const bool ends_tls = !listener.listener->certificate_pem.empty();
  // What came encrypted does not go on in the clear where a policy asks for TLS.
  const bool unsafe = ends_tls && choice.view != nullptr && choice.view->backend->tls.has_value();
  if (choice.view == nullptr || unsafe) {
    const auto reason = unsafe ? FailureReason::kTls : FailureReason::kNoEndpoints;
    choice.series->of(worker_.index()).failures[static_cast<std::size_t>(reason)].add();
    return net::close_cleanly(std::move(socket));
  }
  if (ends_tls) return end_tls(std::move(socket), listener.listener->hostname, std::move(choice));
  open_tunnel(net::make_tcp_stream(std::move(socket)), table_, std::move(choice));
}

void Port::end_tls(net::TcpSocket socket, const std::string& hostname, TunnelChoice choice) {
  const auto context = tunnel_tls_.find(hostname);
  if (context == tunnel_tls_.end()) return refuse(std::move(socket), Refusal::kNoRoute);
  const auto begin = [&](Done done) {
    return net::accept_tls(
        std::move(socket), context->second,
        [this, weak = weak_from_this(), done, table = table_, choice = std::move(choice)](auto stream) {
          const auto self = weak.lock();
          if (!self) return;
          if (stream) open_tunnel(std::move(*stream), table, choice);
          done();
        });
  };
  wait_for(begin, nullptr);
}

void Port::open_tunnel(std::unique_ptr<net::Stream> client, WorkerTablePtr table, TunnelChoice choice) {
  const auto ended = [self = shared_from_this()](Tunnel* tunnel) {
    self->tunnels_.erase(tunnel);
    self->counts_->connections.add(-1);
    self->worker_.connection_closed();
  };
  const auto tunnel =
      std::make_shared<Tunnel>(worker_, std::move(table), std::move(choice), std::move(client), ended);
  tunnels_.insert(tunnel.get());
  counts_->connections.add();
  tunnel->start();
}

void Port::refuse(net::TcpSocket socket, Refusal why) {
  counts_->refuse(why);
  net::close_cleanly(std::move(socket));
}

// ---- HTTP ----

void Port::serve(std::unique_ptr<net::Stream> stream, std::string_view scheme,
                 std::unique_ptr<Client> client) {
  session::ServerOptions options;
  options.scheme = scheme;
  options.limits = &limits_;
  options.handler = this;
  options.scheduler = &worker_.scheduler();
  options.closed = [self = shared_from_this()](session::ServerConnection* connection) {
    if (self->connections_.erase(connection) == 0) return;
    if (self->counts_ != nullptr) self->counts_->connections.add(-1);
    self->worker_.connection_closed();
  };
  const auto connection = session::serve_http(std::move(stream), std::move(options));
  connections_.emplace(connection.get(), std::move(client));
  counts_->connections.add();
}

void Port::on_request(http::RequestHead& head, bool expects_continue,
                      std::shared_ptr<session::ServerStream> stream) {
  worker_.start_exchange(table_, *port_, head, expects_continue, std::move(stream));
}

void Port::on_refused(int status) { counts_->codes.add(status); }

void Port::on_limit(session::Limit limit) { worker_.limit_hit(limit); }

// They leave the map as they close.
std::vector<session::ServerConnection*> Port::open_connections() const {
  std::vector<session::ServerConnection*> open;
  for (const auto& [connection, client] : connections_) open.push_back(connection);
  return open;
}

void Port::drain() {
  stop_accepting();
  handshakes_.clear();  // nothing has been asked on them
  for (session::ServerConnection* connection : open_connections()) {
    if (connections_.contains(connection)) connection->drain();
  }
}

void Port::close() {
  stop_accepting();
  handshakes_.clear();
  for (session::ServerConnection* connection : open_connections()) {
    if (connections_.contains(connection)) connection->close();
  }
  const std::vector<Tunnel*> carried(tunnels_.begin(), tunnels_.end());
  for (Tunnel* tunnel : carried) {
    if (tunnels_.contains(tunnel)) tunnel->close();
  }
}

}  // namespace tidegate::proxy
