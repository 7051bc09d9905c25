// SPDX-License-Identifier: Apache-2.0
#include "net/udp.h"

#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "net/errors.h"
#include "net/limits.h"

namespace tidegate::net {
namespace {

using Socket = asio::basic_datagram_socket<asio::ip::udp, asio::io_context::executor_type>;

// Of a thread: a datagram is dealt with before the next one is read.
std::vector<char>& inbox() {
  thread_local std::vector<char> bytes(kDatagramBytes);
  return bytes;
}

// Lives as long as a wait is pending; silent once its UdpSocket is gone.
struct Receiving : std::enable_shared_from_this<Receiving> {
  explicit Receiving(asio::io_context& io) : socket(io.get_executor()) {}

  void wait() {
    socket.async_wait(Socket::wait_read, [self = shared_from_this()](auto error) {
      if (error || !self->socket.is_open()) return;
      self->receive();
    });
  }

  void receive() {
    for (int i = 0; i < kDatagramsInTurn && socket.is_open(); ++i) {
      UdpSocket::Peer from;
      boost::system::error_code error;
      const std::size_t bytes = socket.receive_from(asio::buffer(inbox()), from, 0, error);
      if (error == asio::error::would_block) break;
      if (error) {
        if (refused) refused();
        break;
      }
      received(from, {inbox().data(), bytes});
    }
    if (socket.is_open()) wait();
  }

  Socket socket;
  UdpSocket::Received received;
  UdpSocket::Refused refused;
};

class OpenUdpSocket final : public UdpSocket {
 public:
  explicit OpenUdpSocket(std::shared_ptr<Receiving> receiving) : receiving_(std::move(receiving)) {}
  ~OpenUdpSocket() override {
    boost::system::error_code ignored;
    receiving_->socket.close(ignored);
  }

  bool send(std::string_view datagram) override {
    boost::system::error_code error;
    receiving_->socket.send(asio::buffer(datagram.data(), datagram.size()), 0, error);
    return !error;
  }
  bool send_to(const Peer& peer, std::string_view datagram) override {
    boost::system::error_code error;
    receiving_->socket.send_to(asio::buffer(datagram.data(), datagram.size()), peer, 0, error);
    return !error;
  }
  Address address() const override {
    boost::system::error_code ignored;
    const auto local = receiving_->socket.local_endpoint(ignored);
    return {local.address().to_string(), local.port()};
  }

 private:
  std::shared_ptr<Receiving> receiving_;
};

boost::system::error_code open(Socket& socket, const UdpSocket::Peer& at) {
  boost::system::error_code error;
  socket.open(at.protocol(), error);
  if (!error) socket.non_blocking(true, error);
  return error;
}

std::unique_ptr<UdpSocket> start(const std::shared_ptr<Receiving>& receiving) {
  receiving->wait();
  return std::make_unique<OpenUdpSocket>(receiving);
}

}  // namespace

Result<std::unique_ptr<UdpSocket>> UdpSocket::bind(asio::io_context& io, const Address& address,
                                                   bool reuse_port, Received received) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address.ip, error);
  if (error) return Error{ErrorCode::kInvalid, "\"" + address.ip + "\" is not an IP address"};
  auto receiving = std::make_shared<Receiving>(io);
  Socket& socket = receiving->socket;
  error = open(socket, {ip, address.port});
  const int on = 1;
  if (!error && reuse_port &&
      ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
    error = {errno, boost::system::system_category()};
  if (!error) socket.bind({ip, address.port}, error);
  if (error) return bind_error(to_string(address), error);
  receiving->received = std::move(received);
  return start(receiving);
}

Result<std::unique_ptr<UdpSocket>> UdpSocket::connect(asio::io_context& io, const Address& peer,
                                                      Received received, Refused refused) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(peer.ip, error);
  if (error) return Error{ErrorCode::kInvalid, "\"" + peer.ip + "\" is not an IP address"};
  auto receiving = std::make_shared<Receiving>(io);
  error = open(receiving->socket, {ip, peer.port});
  if (!error) receiving->socket.connect({ip, peer.port}, error);
  if (error) return to_error("connect to " + to_string(peer), error);
  receiving->received = std::move(received);
  receiving->refused = std::move(refused);
  return start(receiving);
}

Result<void> check_udp_free(const Address& address) {
  asio::io_context io(1);
  const auto bound = UdpSocket::bind(io, address, false, [](const auto&, auto) {});
  return bound ? Result<void>() : bound.error();
}

}  // namespace tidegate::net
