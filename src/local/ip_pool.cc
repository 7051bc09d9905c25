// SPDX-License-Identifier: Apache-2.0
#include "local/ip_pool.h"

#include "base/text.h"

namespace tidegate::local {
namespace {

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  const auto parts = text::split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::uint32_t ip = 0;
  for (const auto part : parts) {
    const auto byte = text::parse_int(part);
    if (!byte || *byte < 0 || *byte > 255) return std::nullopt;
    ip = (ip << 8) | static_cast<std::uint32_t>(*byte);
  }
  return ip;
}

std::string format_ipv4(std::uint32_t ip) {
  return std::to_string(ip >> 24) + "." + std::to_string(ip >> 16 & 255) + "." +
         std::to_string(ip >> 8 & 255) + "." + std::to_string(ip & 255);
}

}  // namespace

Result<IpPool> IpPool::parse(std::string_view cidr) {
  const auto slash = cidr.find('/');
  const auto ip = parse_ipv4(cidr.substr(0, slash));
  const auto prefix =
      slash == std::string_view::npos ? std::nullopt : text::parse_int(cidr.substr(slash + 1));
  if (!ip || !prefix || *prefix < 8 || *prefix > 30) {
    return Error{ErrorCode::kInvalid,
                 "address pool \"" + std::string(cidr) + "\" is no IPv4 range such as 127.78.0.0/16"};
  }
  const std::uint32_t size = 1U << (32 - *prefix);
  return IpPool((*ip & ~(size - 1)) + 1, size - 2);
}

std::optional<std::string> IpPool::take() {
  if (used_.size() >= count_) return std::nullopt;
  while (true) {
    auto ip = format_ipv4(first_ + next_);
    next_ = (next_ + 1) % count_;
    if (used_.insert(ip).second) return ip;
  }
}

void IpPool::give_back(const std::string& ip) { used_.erase(ip); }

}  // namespace tidegate::local
