// SPDX-License-Identifier: Apache-2.0
// IPv4 addresses out of a CIDR, each handed out once at a time. They are taken in turn, so that an address
// comes back as late as possible: a connection meant for a pod that is gone finds nobody rather than another
// pod. Thread: control.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tidegate::local {

class IpPool {
 public:
  // Errors name the text: "127.78.0.0/16" is the form, with a prefix from 8 to 30. Network and broadcast
  // address are left out.
  static Result<IpPool> parse(std::string_view cidr);

  std::optional<std::string> take();  // nullopt: all are in use
  void give_back(const std::string& ip);

 private:
  IpPool(std::uint32_t first, std::uint32_t count) : first_(first), count_(count) {}
  std::uint32_t first_, count_, next_ = 0;
  std::set<std::string> used_;
};

}  // namespace tidegate::local
