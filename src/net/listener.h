// SPDX-License-Identifier: Apache-2.0
// A listening TCP socket that hands accepted sockets to a callback until it is destroyed. Thread: its loop's.
// Owns: the socket. Out of descriptors (EMFILE) it waits 100 ms and goes on; it never spins and never gives
// up.
#pragma once

#include <functional>
#include <memory>

#include "net/stream.h"

namespace tidegate::net {

class Listener {
 public:
  struct Options {
    Address address;          // port 0: any free one
    bool reuse_port = false;  // several workers listen on the same address
    int backlog = 4096;
  };
  using Accepted = std::function<void(TcpSocket)>;
  // Errors: kUnavailable "address 127.0.0.1:80 is in use", kForbidden for ports that need privileges,
  // kInvalid for addresses that this host lacks.
  static Result<std::unique_ptr<Listener>> open(asio::io_context& io, const Options& options,
                                                Accepted accepted);
  virtual ~Listener() = default;
  virtual Address address() const = 0;  // with the port that was given
};

// Whether nobody listens on this address, not even one who would share it (SO_REUSEPORT). Errors: those of
// Listener::open().
Result<void> check_free(const Address& address);

}  // namespace tidegate::net
