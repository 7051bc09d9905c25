// SPDX-License-Identifier: Apache-2.0
#include "gateway/addresses.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "gateway/limits.h"

namespace tidegate::gateway {
namespace {

// The addresses given out so far, and the Gateways that have none yet.
class Allocation {
 public:
  Allocation(const ClusterState& state, const AddressPool& pool) : state_(state), pool_(pool) {}

  void take_requested(GatewayNode& node) {
    const auto& wanted = node.gateway->addresses;
    for (std::size_t i = 0; i < wanted.size(); ++i) take_one_requested(node, wanted[i], i);
  }

  // What the Gateway had before, in its status or promised.
  void keep(GatewayNode& node) {
    if (!wants_any(node)) return;
    std::vector<std::string> before;
    for (const auto& address : node.gateway->status.addresses) before.push_back(address.value);
    if (const auto promised = state_.assigned.find(node.key()); promised != state_.assigned.end())
      before.insert(before.end(), promised->second.begin(), promised->second.end());
    for (const auto& value : before) {
      const auto address = parse_ipv4(value);
      if (address && pool_.holds(*address) && take(node, *address)) return;
    }
  }

  void give_next(GatewayNode& node) {
    if (!wants_any(node)) return;
    const std::uint64_t end = std::min<std::uint64_t>(pool_.last, std::uint64_t{pool_.first} + kPoolScan);
    for (std::uint64_t address = pool_.first; address <= end; ++address) {
      if (take(node, static_cast<std::uint32_t>(address))) return;
    }
    node.problems.push_back({"Gateway", node.key(), "", "status.addresses", Reason::kAddressNotAssigned,
                             "all addresses of the pool " + format_ipv4(pool_.first) + " to " +
                                 format_ipv4(pool_.last) + " are taken"});
  }

 private:
  static bool wants_any(const GatewayNode& node) {
    const auto& wanted = node.gateway->addresses;
    const bool asked = wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [](const auto& address) {
                         return address.type == "IPAddress" && address.value.empty();
                       });
    return asked && node.addresses.empty();
  }

  bool take(GatewayNode& node, std::uint32_t address) {
    if (!taken_.insert(address).second) return false;
    node.addresses.push_back(format_ipv4(address));
    return true;
  }

  void take_one_requested(GatewayNode& node, const api::GatewayAddress& wanted, std::size_t index) {
    const std::string field = indexed("spec.addresses", index);
    const auto refuse = [&](Reason reason, std::string_view part, std::string detail) {
      if (reason == Reason::kUnsupportedAddress) node.accepted = false;
      node.problems.push_back(
          {"Gateway", node.key(), "", field + std::string(part), reason, std::move(detail)});
    };
    if (wanted.type != "IPAddress")
      return refuse(Reason::kUnsupportedAddress, ".type",
                    shown(wanted.type) + " is not supported: expected IPAddress");
    if (wanted.value.empty()) return;  // any of the pool: give_next()
    const auto address = parse_ipv4(wanted.value);
    if (!address || !pool_.holds(*address)) {
      return refuse(Reason::kAddressNotUsable, ".value",
                    shown(wanted.value) + " is not in the pool: expected an address from " +
                        format_ipv4(pool_.first) + " to " + format_ipv4(pool_.last));
    }
    if (!take(node, *address))
      refuse(Reason::kAddressNotUsable, ".value", shown(wanted.value) + " is taken by another Gateway");
  }

  const ClusterState& state_;
  const AddressPool& pool_;
  std::set<std::uint32_t> taken_;
};

}  // namespace

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  const auto parts = text::split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::uint32_t address = 0;
  for (const auto part : parts) {
    const auto number = text::parse_int(part);
    if (!number || *number < 0 || *number > 255 || std::to_string(*number) != part) return std::nullopt;
    address = address << 8 | static_cast<std::uint32_t>(*number);
  }
  return address;
}

std::string format_ipv4(std::uint32_t address) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    out += std::to_string(address >> shift & 255) + (shift ? "." : "");
  return out;
}

std::optional<AddressPool> parse_pool(std::string_view cidr) {
  const auto parts = text::split(cidr, '/');
  if (parts.size() != 2) return std::nullopt;
  const auto base = parse_ipv4(parts[0]);
  const auto bits = text::parse_int(parts[1]);
  if (!base || !bits || *bits < 1 || *bits > 32) return std::nullopt;
  const std::uint32_t rest = *bits == 32 ? 0 : 0xffffffffU >> *bits;
  AddressPool pool{*base & ~rest, *base | rest};
  if (rest > 1) ++pool.first, --pool.last;
  return pool;
}

void assign_addresses(const ClusterState& state, const AddressPool& pool, Graph& graph) {
  std::vector<GatewayNode*> oldest_first;
  for (auto& [key, node] : graph.gateways) oldest_first.push_back(&node);
  std::stable_sort(oldest_first.begin(), oldest_first.end(), [](const auto* a, const auto* b) {
    return a->gateway->meta.created < b->gateway->meta.created;
  });
  // Those that serve already keep their addresses; nobody may ask them away.
  Allocation allocation(state, pool);
  for (auto* node : oldest_first) allocation.keep(*node);
  for (auto* node : oldest_first) allocation.take_requested(*node);
  for (auto* node : oldest_first) allocation.give_next(*node);
}

}  // namespace tidegate::gateway
