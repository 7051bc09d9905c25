// SPDX-License-Identifier: Apache-2.0
#include "routing/share.h"

#include <map>
#include <string_view>
#include <tuple>
#include <vector>

namespace tidegate::routing {
namespace {

// Names that tell which one of `before` to compare with.
auto name_of(const Rule& rule) {
  return std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>(
      rule.route.ns, rule.route.name, rule.name, rule.route.kind);
}
auto name_of(const Backend& backend) {
  return std::tuple<std::string_view, std::string_view, std::uint16_t>(backend.ns, backend.name,
                                                                       backend.port);
}

// Both lists are in the same order as a rule: side by side, and a look-up where one came or went.
template <typename T>
void share_list(std::vector<Shared<T>>& list, const std::vector<Shared<T>>& before) {
  using Name = decltype(name_of(std::declval<const T&>()));
  std::map<Name, std::size_t> places;
  std::size_t next = 0;
  for (Shared<T>& one : list) {
    if (next >= before.size() || name_of(*before[next]) != name_of(*one)) {
      for (std::size_t i = places.empty() ? 0 : before.size(); i < before.size(); ++i)
        places.emplace(name_of(*before[i]), i);
      const auto place = places.find(name_of(*one));
      if (place == places.end()) continue;
      next = place->second;
    }
    if (one == before[next]) one = before[next];
    ++next;
  }
}

}  // namespace

bool same_place(const Listener& a, const Listener& b) {
  return a.port == b.port && a.name == b.name && a.gateway == b.gateway && a.gateway_ns == b.gateway_ns &&
         a.address == b.address && a.protocol == b.protocol;
}

void share(Table& table, const Table& before) {
  share_list(table.backends, before.backends);
  for (Listener& listener : table.listeners) {
    for (const Listener& other : before.listeners) {
      if (same_place(listener, other)) share_list(listener.rules, other.rules);
    }
  }
}

}  // namespace tidegate::routing
