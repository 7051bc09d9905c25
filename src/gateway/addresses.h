// SPDX-License-Identifier: Apache-2.0
// Which addresses each Gateway gets: what its status or an earlier promise says, what its spec asks for, else
// the lowest free one of the pool. Not: persisted here (the status is), nor bound (proxy/). Thread: none;
// pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/graph.h"

namespace tidegate::gateway {

// An IPv4 block; the first and the last address of blocks larger than two are never given out.
struct AddressPool {
  std::uint32_t first = 0, last = 0;  // that may be given out, both included
  bool holds(std::uint32_t address) const { return first <= address && address <= last; }
};
std::optional<AddressPool> parse_pool(std::string_view cidr);
std::optional<std::uint32_t> parse_ipv4(std::string_view text);  // canonical dotted form only
std::string format_ipv4(std::uint32_t address);

// Fills GatewayNode::addresses. Gateways that hold an address keep it; of two that claim the same one the
// older keeps it.
void assign_addresses(const ClusterState& state, const AddressPool& pool, Graph& graph);

}  // namespace tidegate::gateway
