// SPDX-License-Identifier: Apache-2.0
// Which addresses this process serves. Workers share a port by SO_REUSEPORT, and the kernel lets any process
// of the same user share it too, and take part of the connections: so an address is bound alone once, before
// the workers open it. Thread: control.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "net/stream.h"
#include "routing/compile.h"

namespace tidegate::proxy {

// TCP and UDP have the same numbers for different things.
struct SocketAddress {
  net::Address address;
  bool udp = false;
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};
SocketAddress socket_address(const routing::CompiledPort& port);
std::string to_string(const SocketAddress& address);  // "127.0.0.1:80", "127.0.0.1:53/udp"

class PortClaims {
 public:
  // For a table, by its number in the order of publishing. Errors: those of net::check_free() and
  // net::check_udp_free().
  Result<void> claim(const SocketAddress& address, std::uint64_t table);
  // Every worker has this table, and so has closed what only earlier ones named.
  void taken(std::uint64_t table);

 private:
  std::map<SocketAddress, std::uint64_t> last_named_;  // the latest table with this address
};

}  // namespace tidegate::proxy
