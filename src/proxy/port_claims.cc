// SPDX-License-Identifier: Apache-2.0
#include "proxy/port_claims.h"

#include "net/listener.h"
#include "net/udp.h"

namespace tidegate::proxy {

SocketAddress socket_address(const routing::CompiledPort& port) {
  return {{port.address, port.port}, port.udp};
}

std::string to_string(const SocketAddress& address) {
  return net::to_string(address.address) + (address.udp ? "/udp" : "");
}

Result<void> PortClaims::claim(const SocketAddress& address, std::uint64_t table) {
  if (!last_named_.contains(address)) {
    auto free = address.udp ? net::check_udp_free(address.address) : net::check_free(address.address);
    if (!free) return free;
  }
  last_named_[address] = table;
  return {};
}

void PortClaims::taken(std::uint64_t table) {
  std::erase_if(last_named_, [table](const auto& claim) { return claim.second < table; });
}

}  // namespace tidegate::proxy
