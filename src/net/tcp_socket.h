// SPDX-License-Identifier: Apache-2.0
// A connected TCP socket that nobody reads from or writes to yet. It never blocks, and does not wait to send
// small pieces together (TCP_NODELAY). Thread: its loop's. Owns: the descriptor, till release().
#pragma once

#include <string>

#include "net/asio.h"

namespace tidegate::net {

using AsioSocket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

class TcpSocket {
 public:
  TcpSocket(asio::io_context& io, int descriptor, const asio::ip::tcp::endpoint& peer)
      : io_(&io), descriptor_(descriptor), peer_(peer) {}
  TcpSocket(TcpSocket&& from) noexcept;
  TcpSocket& operator=(TcpSocket&& from) noexcept;
  ~TcpSocket();

  asio::io_context& io() const { return *io_; }
  int descriptor() const { return descriptor_; }
  const asio::ip::tcp::endpoint& peer() const { return peer_; }
  std::string peer_address() const;  // "127.0.0.1:51234"
  int release();                     // the caller's to close

  // The same for those who go on by Asio.
  static TcpSocket of(AsioSocket socket, const asio::ip::tcp::endpoint& peer);
  AsioSocket to_asio() &&;

 private:
  asio::io_context* io_;
  int descriptor_;
  asio::ip::tcp::endpoint peer_;
};

}  // namespace tidegate::net
