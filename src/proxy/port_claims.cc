// SPDX-License-Identifier: Apache-2.0
#include "proxy/port_claims.h"

#include "net/listener.h"

namespace tidegate::proxy {

Result<void> PortClaims::claim(const net::Address& address, std::uint64_t table) {
  if (!last_named_.contains(address)) {
    if (auto free = net::check_free(address); !free) return free;
  }
  last_named_[address] = table;
  return {};
}

void PortClaims::taken(std::uint64_t table) {
  std::erase_if(last_named_, [table](const auto& claim) { return claim.second < table; });
}

}  // namespace tidegate::proxy
