// SPDX-License-Identifier: Apache-2.0
#include "session/http_server.h"

#include <list>
#include <set>
#include <utility>

#include "session/h1_server.h"
#include "session/responder.h"

namespace tidegate::session {
namespace {

class OpenServer final : public HttpServer, public RequestHandler {
 public:
  OpenServer(Scheduler& scheduler, Options options, Handler handler)
      : scheduler_(scheduler), options_(std::move(options)), handler_(std::move(handler)) {}
  ~OpenServer() override;

  Result<void> listen(asio::io_context& io);
  net::Address address() const override { return address_; }
  void drain() override;
  std::size_t connections() const override { return connections_.size(); }

  void on_request(http::RequestHead& head, bool expects_continue,
                  std::shared_ptr<ServerStream> stream) override {
    std::make_shared<Answering>(std::move(head), std::move(stream), options_, handler_)
        ->start(expects_continue);
  }
  void on_refused(int) override {}

 private:
  // A TLS handshake under way, with the time it may take.
  struct Entering {
    std::unique_ptr<net::Handshake> handshake;
    std::unique_ptr<Scheduler::Timer> deadline;
  };

  void accepted(net::TcpSocket socket);
  void shake_hands(net::TcpSocket socket);
  void serve(std::unique_ptr<net::Stream> stream, std::string_view scheme);
  void leave(std::list<Entering>::iterator entering);

  Scheduler& scheduler_;
  const Options options_;
  const Handler handler_;
  net::Address address_;
  std::unique_ptr<net::Listener> listener_;
  std::list<Entering> entering_;
  std::set<std::shared_ptr<ServerConnection>> connections_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

OpenServer::~OpenServer() {
  alive_.reset();
  listener_.reset();
  entering_.clear();
  for (const auto& connection : std::exchange(connections_, {})) connection->close();
}

Result<void> OpenServer::listen(asio::io_context& io) {
  auto listener = net::Listener::open(io, {options_.address},
                                      [this](net::TcpSocket socket) { accepted(std::move(socket)); });
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  address_ = listener_->address();
  return {};
}

void OpenServer::drain() {
  listener_.reset();
  entering_.clear();
  const auto connections = connections_;
  for (const auto& connection : connections) connection->drain();
}

void OpenServer::accepted(net::TcpSocket socket) {
  if (connections_.size() + entering_.size() >= options_.limits.max_connections)
    return;  // closed by its destructor
  if (options_.tls) return shake_hands(std::move(socket));
  serve(net::make_tcp_stream(std::move(socket)), "http");
}

void OpenServer::shake_hands(net::TcpSocket socket) {
  const auto entering = entering_.emplace(entering_.end());
  entering->deadline = scheduler_.after(options_.limits.tls_timeout, [this, entering] { leave(entering); });
  entering->handshake = net::accept_tls(std::move(socket), options_.tls, [this, entering](auto stream) {
    leave(entering);
    if (stream) serve(std::move(*stream), "https");
  });
}

void OpenServer::leave(std::list<Entering>::iterator entering) {
  const Entering ended = std::move(*entering);
  entering_.erase(entering);
}

void OpenServer::serve(std::unique_ptr<net::Stream> stream, std::string_view scheme) {
  H1ServerOptions options;
  options.scheme = scheme;
  options.limits = &options_.limits;
  options.handler = this;
  options.scheduler = &scheduler_;
  options.closed = [this, alive = std::weak_ptr<bool>(alive_)](ServerConnection* connection) {
    if (alive.expired()) return;
    std::erase_if(connections_, [connection](const auto& one) { return one.get() == connection; });
  };
  connections_.insert(serve_h1(std::move(stream), std::move(options)));
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::open(asio::io_context& io, Scheduler& scheduler,
                                                     Options options, Handler handler) {
  auto server = std::make_unique<OpenServer>(scheduler, std::move(options), std::move(handler));
  if (auto listening = server->listen(io); !listening) return listening.error();
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace tidegate::session
