// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <sys/socket.h>

#include "base/log.h"
#include "net/errors.h"

namespace tidegate::net {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;
using SteadyTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                               asio::io_context::executor_type>;

constexpr int kAtOnce = 64;  // then come the others of the loop
constexpr auto kPauseWithoutDescriptors = std::chrono::milliseconds(100);

// Lives as long as an accept is pending; silent once its Listener is gone.
struct Accepting : std::enable_shared_from_this<Accepting> {
  Accepting(asio::io_context& io, std::function<void(TcpSocket)> accepted)
      : io(io), acceptor(io.get_executor()), pause(io.get_executor()), accepted(std::move(accepted)) {}

  void accept_next() {
    acceptor.async_wait(Acceptor::wait_read, [self = shared_from_this()](auto error) {
      if (!self->acceptor.is_open()) return;
      error ? self->wait_then_accept(error) : self->accept_waiting();
    });
  }

  // All that wait: one at a time, each would wait for a turn of those that are served already.
  void accept_waiting() {
    for (int i = 0; i < kAtOnce && acceptor.is_open(); ++i) {
      boost::system::error_code error;
      auto socket = acceptor.accept(error);
      if (error == asio::error::would_block) break;
      if (error) return wait_then_accept(error);
      socket.set_option(asio::ip::tcp::no_delay(true), error);
      accepted(std::move(socket));
    }
    if (acceptor.is_open()) accept_next();
  }

  // A peer that left before it was accepted costs nothing; a process out of descriptors waits for some to
  // come free.
  void wait_then_accept(const boost::system::error_code& error) {
    if (error == asio::error::connection_aborted) return accept_next();
    log::warning("connections can't be accepted for now", {{"error", error.message()}});
    pause.expires_after(kPauseWithoutDescriptors);
    pause.async_wait([self = shared_from_this()](auto cancelled) {
      if (!cancelled && self->acceptor.is_open()) self->accept_next();
    });
  }

  void stop() {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    pause.cancel();
  }

  asio::io_context& io;
  Acceptor acceptor;
  SteadyTimer pause;
  std::function<void(TcpSocket)> accepted;
};

class OpenListener final : public Listener {
 public:
  explicit OpenListener(std::shared_ptr<Accepting> accepting) : accepting_(std::move(accepting)) {
    boost::system::error_code ignored;
    const auto local = accepting_->acceptor.local_endpoint(ignored);
    address_ = {local.address().to_string(), local.port()};
  }
  ~OpenListener() override { accepting_->stop(); }
  Address address() const override { return address_; }

 private:
  std::shared_ptr<Accepting> accepting_;
  Address address_;
};

Result<asio::ip::tcp::endpoint> to_endpoint(const Address& address) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address.ip, error);
  if (error) return Error{ErrorCode::kInvalid, "\"" + address.ip + "\" is not an IP address"};
  return asio::ip::tcp::endpoint(ip, address.port);
}

boost::system::error_code bind(Acceptor& acceptor, const asio::ip::tcp::endpoint& endpoint,
                               const Listener::Options& options) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && options.reuse_port) {
    const int on = 1;
    if (::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
      return {errno, boost::system::system_category()};
    }
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(options.backlog, error);
  if (!error) acceptor.non_blocking(true, error);
  return error;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(asio::io_context& io, const Options& options,
                                                 std::function<void(TcpSocket)> accepted) {
  const auto endpoint = to_endpoint(options.address);
  if (!endpoint) return endpoint.error();
  auto accepting = std::make_shared<Accepting>(io, std::move(accepted));
  if (auto failed = bind(accepting->acceptor, *endpoint, options)) {
    return bind_error(to_string(options.address), failed);
  }
  accepting->accept_next();
  return std::unique_ptr<Listener>(std::make_unique<OpenListener>(std::move(accepting)));
}

Result<void> check_free(const Address& address) {
  const auto endpoint = to_endpoint(address);
  if (!endpoint) return endpoint.error();
  asio::io_context io(1);
  Acceptor acceptor(io);
  if (auto failed = bind(acceptor, *endpoint, {.address = address}))
    return bind_error(to_string(address), failed);
  return {};
}

}  // namespace tidegate::net
