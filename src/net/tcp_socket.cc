// SPDX-License-Identifier: Apache-2.0
#include "net/tcp_socket.h"

#include <unistd.h>

#include <utility>

#include "net/stream.h"

namespace tidegate::net {

TcpSocket::TcpSocket(TcpSocket&& from) noexcept
    : io_(from.io_), descriptor_(from.release()), peer_(from.peer_) {}

TcpSocket& TcpSocket::operator=(TcpSocket&& from) noexcept {
  TcpSocket old(std::move(*this));
  io_ = from.io_;
  descriptor_ = from.release();
  peer_ = from.peer_;
  return *this;
}

TcpSocket::~TcpSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string TcpSocket::peer_address() const {
  return to_string(Address{peer_.address().to_string(), peer_.port()});
}

int TcpSocket::release() { return std::exchange(descriptor_, -1); }

TcpSocket TcpSocket::of(AsioSocket socket, const asio::ip::tcp::endpoint& peer) {
  auto& io = static_cast<asio::io_context&>(socket.get_executor().context());
  boost::system::error_code ignored;
  socket.native_non_blocking(true, ignored);
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  return {io, socket.release(), peer};
}

AsioSocket TcpSocket::to_asio() && {
  AsioSocket socket(io_->get_executor());
  boost::system::error_code error;
  socket.assign(peer_.protocol(), descriptor_, error);
  if (!error) release();
  return socket;
}

}  // namespace tidegate::net
