// SPDX-License-Identifier: Apache-2.0
#include "proxy/port.h"

#include "proxy/worker.h"
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
    const auto open = static_cast<std::int64_t>(connections_.size());
    if (counts_ != nullptr) counts_->connections.add(-open);
    counts.connections.add(open);
  }
  counts_ = &counts;
  port_ = &port;
  table_ = std::move(table);
}

Result<void> Port::use_identities(std::vector<net::NamedIdentity> identities) {
  if (identities == identities_) return {};
  std::shared_ptr<net::TlsContext> tls;
  if (!identities.empty()) {
    auto made = net::make_server_tls(identities);
    if (!made) return made.error();
    tls = std::move(*made);
  }
  tls_ = std::move(tls);
  identities_ = std::move(identities);
  return {};
}

void Port::on_accept(net::TcpSocket socket) {
  if (connections() >= limits_.max_connections)
    return worker_.limit_hit(Limit::kConnections);  // the socket closes
  if (tls_) return handshake(std::move(socket));
  serve(net::make_tcp_stream(std::move(socket)), "http");
}

void Port::handshake(net::TcpSocket socket) {
  const std::uint64_t id = next_handshake_++;
  Handshaking& entry = handshakes_[id];
  const std::weak_ptr<Port> weak = weak_from_this();
  // Both ends of the story are posted: neither destroys the handshake from within its own callback.
  const auto forget = [this, weak, id] {
    if (const auto self = weak.lock()) handshakes_.erase(id);
  };
  Scheduler& scheduler = worker_.scheduler();
  entry.deadline = scheduler.after(limits_.tls_timeout, [this, &scheduler, forget] {
    worker_.limit_hit(Limit::kTlsTimeout);
    scheduler.post(forget);
  });
  entry.handshake = net::accept_tls(std::move(socket), tls_, [this, weak, forget, &scheduler](auto stream) {
    const auto self = weak.lock();
    if (!self) return;
    if (stream) serve(std::move(*stream), "https");
    scheduler.post(forget);
  });
}

void Port::serve(std::unique_ptr<net::Stream> stream, std::string_view scheme) {
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
  connections_.insert(connection.get());
  counts_->connections.add();
}

void Port::on_request(http::RequestHead& head, bool expects_continue,
                      std::shared_ptr<session::ServerStream> stream) {
  worker_.start_exchange(table_, *port_, head, expects_continue, std::move(stream));
}

void Port::on_refused(int status) { counts_->codes.add(status); }

void Port::on_limit(session::Limit limit) { worker_.limit_hit(limit); }

void Port::drain() {
  stop_accepting();
  handshakes_.clear();  // nothing has been asked on them
  const std::vector<session::ServerConnection*> open(connections_.begin(),
                                                     connections_.end());  // they leave the set as they close
  for (session::ServerConnection* connection : open) {
    if (connections_.contains(connection)) connection->drain();
  }
}

void Port::close() {
  stop_accepting();
  handshakes_.clear();
  const std::vector<session::ServerConnection*> open(connections_.begin(), connections_.end());
  for (session::ServerConnection* connection : open) {
    if (connections_.contains(connection)) connection->close();
  }
}

}  // namespace tidegate::proxy
