// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "net/errors.h"
#include "net/poller.h"

namespace tidegate::net {
namespace {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;
using SteadyTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                               asio::io_context::executor_type>;

constexpr int kAtOnce = 64;  // then come the others of the loop
constexpr auto kPauseWithoutDescriptors = std::chrono::milliseconds(100);

// Lives as long as it waits for connections; silent once its Listener is gone.
class Accepting {
 public:
  Accepting(asio::io_context& io, Listener::Accepted accepted)
      : io_(io), pause_(io.get_executor()), accepted_(std::move(accepted)) {}
  virtual ~Accepting() = default;

  virtual void start() = 0;
  virtual void stop() = 0;

 protected:
  // All that wait: one at a time, each would wait for a turn of those that are served already.
  void accept_waiting() {
    if (pausing_) return;
    for (int i = 0; i < kAtOnce && descriptor() >= 0; ++i) {
      asio::ip::tcp::endpoint peer;
      auto size = static_cast<socklen_t>(peer.capacity());
      const int socket = ::accept4(descriptor(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0 && (errno == ECONNABORTED || errno == EINTR))
        continue;  // it left before it was accepted
      if (socket < 0 && errno == EAGAIN) return wait();
      if (socket < 0) return wait_for_descriptors(errno);
      peer.resize(size);
      accepted_(TcpSocket(io_, socket, peer));
    }
    if (descriptor() >= 0) go_on();
  }

 private:
  virtual int descriptor() = 0;  // -1 once stopped
  virtual std::shared_ptr<Accepting> self() = 0;
  virtual void wait() = 0;   // until there is one to accept
  virtual void go_on() = 0;  // there may be more, but others have their turn

  void wait_for_descriptors(int error) {
    log::warning("connections can't be accepted for now", {{"error", std::strerror(error)}});
    pausing_ = true;
    pause_.expires_after(kPauseWithoutDescriptors);
    pause_.async_wait([self = self()](auto) {
      self->pausing_ = false;
      self->accept_waiting();
    });
  }

  asio::io_context& io_;
  SteadyTimer pause_;
  bool pausing_ = false;
  const Listener::Accepted accepted_;
};

class AsioAccepting final : public Accepting, public std::enable_shared_from_this<AsioAccepting> {
 public:
  AsioAccepting(asio::io_context& io, Acceptor acceptor, Listener::Accepted accepted)
      : Accepting(io, std::move(accepted)), acceptor_(std::move(acceptor)) {}

  void start() override { wait(); }
  void stop() override {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  int descriptor() override { return acceptor_.is_open() ? acceptor_.native_handle() : -1; }
  std::shared_ptr<Accepting> self() override { return shared_from_this(); }
  void wait() override {
    acceptor_.async_wait(Acceptor::wait_read, [self = shared_from_this()](auto) { self->accept_waiting(); });
  }
  void go_on() override { wait(); }

  Acceptor acceptor_;
};

// Over the loop's poller, which its connections would make those of Asio's reactor wait for.
class PolledAccepting final : public Accepting, public Poller::User {
 public:
  PolledAccepting(Poller& poller, int descriptor, Listener::Accepted accepted)
      : Accepting(poller.io(), std::move(accepted)), poller_(poller), descriptor_(descriptor) {}
  ~PolledAccepting() override { stop(); }

  void start() override { poller_.add(descriptor_, *this); }
  void stop() override {
    if (descriptor_ < 0) return;
    poller_.forget(*this);
    ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor() override { return descriptor_; }
  std::shared_ptr<Accepting> self() override {
    return std::static_pointer_cast<PolledAccepting>(shared_from_this());
  }
  void wait() override {}  // the kernel says when
  void go_on() override { poller_.soon(*this); }

  void ready(std::uint32_t) override {}
  void tell() override {
    const auto keep = shared_from_this();
    accept_waiting();
  }
  void loop_gone() override { ::close(std::exchange(descriptor_, -1)); }

  Poller& poller_;
  int descriptor_;
};

class OpenListener final : public Listener {
 public:
  OpenListener(std::shared_ptr<Accepting> accepting, Address address)
      : accepting_(std::move(accepting)), address_(std::move(address)) {
    accepting_->start();
  }
  ~OpenListener() override { accepting_->stop(); }
  Address address() const override { return address_; }

 private:
  const std::shared_ptr<Accepting> accepting_;
  const Address address_;
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
  // Linux: what is accepted has it from here.
  if (!error) acceptor.set_option(asio::ip::tcp::no_delay(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(options.backlog, error);
  if (!error) acceptor.non_blocking(true, error);
  return error;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(asio::io_context& io, const Options& options,
                                                 Accepted accepted) {
  const auto endpoint = to_endpoint(options.address);
  if (!endpoint) return endpoint.error();
  Acceptor acceptor(io);
  if (auto failed = bind(acceptor, *endpoint, options)) return bind_error(to_string(options.address), failed);
  boost::system::error_code ignored;
  const auto local = acceptor.local_endpoint(ignored);
  std::shared_ptr<Accepting> accepting;
  if (Poller* poller = Poller::of(io)) {
    accepting = std::make_shared<PolledAccepting>(*poller, acceptor.release(), std::move(accepted));
  } else {
    accepting = std::make_shared<AsioAccepting>(io, std::move(acceptor), std::move(accepted));
  }
  return std::unique_ptr<Listener>(std::make_unique<OpenListener>(
      std::move(accepting), Address{local.address().to_string(), local.port()}));
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
