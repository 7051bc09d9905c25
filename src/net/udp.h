// SPDX-License-Identifier: Apache-2.0
// UDP sockets by callbacks: one that is bound and hears everybody, and one that is connected and hears a
// single peer. What the kernel would not take at once is lost, as datagrams may be. Thread: the loop's. Owns:
// the socket.
#pragma once

#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <memory>
#include <string_view>

#include "net/asio.h"
#include "net/stream.h"

namespace tidegate::net {

class UdpSocket {
 public:
  using Peer = asio::ip::udp::endpoint;
  // May destroy the socket. `datagram` is valid during the call.
  using Received = std::function<void(const Peer& from, std::string_view datagram)>;
  // The peer says that nobody listens there; more may still come. May destroy the socket.
  using Refused = std::function<void()>;

  // Several workers may bind the same address with `reuse_port`: the kernel gives each client to one of them.
  // Errors as of Listener::open().
  static Result<std::unique_ptr<UdpSocket>> bind(asio::io_context& io, const Address& address,
                                                 bool reuse_port, Received received);
  static Result<std::unique_ptr<UdpSocket>> connect(asio::io_context& io, const Address& peer,
                                                    Received received, Refused refused);
  virtual ~UdpSocket() = default;

  virtual bool send(std::string_view datagram) = 0;  // to the connected peer; false: it is lost
  virtual bool send_to(const Peer& peer, std::string_view datagram) = 0;
  virtual Address address() const = 0;
};

// As check_free() (listener.h), for UDP.
Result<void> check_udp_free(const Address& address);

}  // namespace tidegate::net
