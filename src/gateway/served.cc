// SPDX-License-Identifier: Apache-2.0
#include "gateway/served.h"

#include <algorithm>

#include "routing/share.h"

namespace tidegate::gateway {
namespace {

Served::RouteId id_of(const routing::Rule& rule) {
  return {rule.route.kind, {rule.route.ns, rule.route.name}};
}

bool same_rules(const routing::Listener& a, const routing::Listener& b) {
  return routing::same_place(a, b) && a.rules.size() == b.rules.size();
}

}  // namespace

std::optional<std::int64_t> Served::generation(const std::string& kind, const api::Key& route,
                                               const api::Key& gateway, const std::string& listener) const {
  const auto places = routes.find({kind, route});
  if (places == routes.end()) return std::nullopt;
  const auto place = places->second.find({gateway, listener});
  if (place == places->second.end()) return std::nullopt;
  return place->second;
}

std::int64_t Served::lowest_generation(const std::string& kind, const api::Key& route) const {
  const auto places = routes.find({kind, route});
  if (places == routes.end()) return 0;
  const auto lowest = std::min_element(places->second.begin(), places->second.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return lowest->second;
}

Served served_by(const routing::Table& table,
                 const std::vector<std::pair<std::string, std::string>>& failed) {
  Served out;
  out.failed.insert(failed.begin(), failed.end());
  for (const auto& listener : table.listeners) {
    const std::string endpoint =
        endpoint_text(listener.address, listener.port, listener.protocol == routing::Protocol::kUdp);
    if (out.failed.contains(endpoint)) continue;
    const api::Key gateway{listener.gateway_ns, listener.gateway};
    out.listeners.insert({gateway, listener.name, endpoint});
    for (const routing::Rule& rule : listener.rules)
      out.routes[id_of(rule)][{gateway, listener.name}] = rule.route.generation;
  }
  return out;
}

std::set<Served::RouteId> differences(const Served& a, const Served& b) {
  std::set<Served::RouteId> out;
  const auto add = [&](const Served& of, const Served& than) {
    for (const auto& [id, places] : of.routes) {
      const auto other = than.routes.find(id);
      if (other == than.routes.end() || other->second != places) out.insert(id);
    }
  };
  add(a, b);
  add(b, a);
  return out;
}

std::optional<std::set<Served::RouteId>> follow(Served& served, const routing::Table& before,
                                                const routing::Table& now) {
  if (!std::equal(before.listeners.begin(), before.listeners.end(), now.listeners.begin(),
                  now.listeners.end(), same_rules))
    return std::nullopt;
  std::map<std::pair<Served::RouteId, Served::PlaceId>, std::int64_t> changed;
  for (std::size_t l = 0; l < now.listeners.size(); ++l) {
    const auto& listener = now.listeners[l];
    const auto &rules = listener.rules, &old = before.listeners[l].rules;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (rules[i].get() == old[i].get()) continue;
      if (id_of(rules[i]) != id_of(old[i])) return std::nullopt;
      changed[{id_of(rules[i]), {{listener.gateway_ns, listener.gateway}, listener.name}}] =
          rules[i]->route.generation;
    }
  }
  std::set<Served::RouteId> routes;
  for (const auto& [id, generation] : changed) {
    const auto places = served.routes.find(id.first);
    const auto place =
        places == served.routes.end() ? Served::Places::iterator{} : places->second.find(id.second);
    // A listener that could not be opened serves nothing.
    if (places == served.routes.end() || place == places->second.end() || place->second == generation)
      continue;
    place->second = generation;
    routes.insert(id.first);
  }
  return routes;
}

}  // namespace tidegate::gateway
