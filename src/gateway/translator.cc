// SPDX-License-Identifier: Apache-2.0
#include "gateway/translator.h"

#include <algorithm>

#include "gateway/client_validation.h"
#include "gateway/rules.h"
#include "gateway/served.h"
#include "routing/share.h"

namespace tidegate::gateway {
namespace {

const Snapshots<api::Route>& routes_of(const ClusterState& state, const api::Resource* resource) {
  if (resource == &api::kGrpcRoutes) return state.grpc_routes;
  if (resource == &api::kTlsRoutes) return state.tls_routes;
  if (resource == &api::kTcpRoutes) return state.tcp_routes;
  if (resource == &api::kUdpRoutes) return state.udp_routes;
  return state.http_routes;
}

const api::Resource* resource_of(std::string_view kind) {
  for (const auto* resource : {&api::kGrpcRoutes, &api::kTlsRoutes, &api::kTcpRoutes, &api::kUdpRoutes}) {
    if (resource->kind == kind) return resource;
  }
  return &api::kHttpRoutes;
}

// Whether it stays where it is: among the routes, and on its listeners.
bool same_place(const api::Route& a, const api::Route& b) {
  return a.meta.uid == b.meta.uid && a.meta.created == b.meta.created && a.parents == b.parents &&
         a.hostnames == b.hostnames;
}

// A route attached as `before` is, with nothing of its rules yet.
RouteNode attached_as(const RouteNode& before, std::shared_ptr<const api::Route> route) {
  RouteNode node;
  node.parents = before.parents;
  for (auto& parent : node.parents)
    parent.reference =
        &route->parents[static_cast<std::size_t>(parent.reference - before.route->parents.data())];
  node.attach_problems = before.attach_problems;
  node.problems.assign(before.problems.begin(),
                       before.problems.begin() + static_cast<std::ptrdiff_t>(before.attach_problems));
  node.placed = before.placed;
  node.route = std::move(route);
  return node;
}

// Whether a Gateway shows what is in this Secret, or trusts it.
bool names_secret(const ClusterState& state, const api::Key& key) {
  const auto is_it = [&](const api::Gateway& gateway, const api::ObjectReference& reference) {
    return reference.name == key.name && (reference.ns.empty() ? gateway.meta.ns : reference.ns) == key.ns;
  };
  const auto names_it = [&](const api::Gateway& gateway, const api::GatewayListener& listener) {
    return listener.tls &&
           std::any_of(listener.tls->certificate_refs.begin(), listener.tls->certificate_refs.end(),
                       [&](const auto& reference) { return is_it(gateway, reference); });
  };
  return std::any_of(state.gateways.begin(), state.gateways.end(), [&](const auto& entry) {
    const api::Gateway& gateway = *entry.second;
    return (gateway.client_certificate && is_it(gateway, *gateway.client_certificate)) ||
           names_client_authority(gateway, "Secret", key) ||
           std::any_of(gateway.listeners.begin(), gateway.listeners.end(),
                       [&](const auto& listener) { return names_it(gateway, listener); });
  });
}

// Whether a BackendTLSPolicy or a Gateway takes authorities from it.
bool names_config_map(const ClusterState& state, const api::Key& key) {
  const auto names_it = [&](const auto& entry) {
    return names_client_authority(*entry.second, "ConfigMap", key);
  };
  if (std::any_of(state.gateways.begin(), state.gateways.end(), names_it)) return true;
  return std::any_of(state.tls_policies.begin(), state.tls_policies.end(), [&](const auto& entry) {
    const auto& refs = entry.second->ca_refs;
    return entry.first.ns == key.ns &&
           std::any_of(refs.begin(), refs.end(), [&](const auto& ref) { return ref.name == key.name; });
  });
}

}  // namespace

bool Translator::note_status(const api::Gateway& old, const api::Gateway& now) {
  if (old.status.addresses == now.status.addresses) return false;
  return everything_ = true;
}

// What we said of a route while it was ours is to go: whether there is any of it.
bool Translator::note_status(const api::Route& /*old*/, const api::Route& now) {
  const auto found = index_.find(RouteId{now.resource, now.meta.key()});
  if (found != index_.end() && workings_.graph.routes[found->second].parents.empty())
    routes_.insert(found->first);
  return false;
}

bool Translator::note(const api::Key& key, const Snapshot<api::Route>& old, const Snapshot<api::Route>& now) {
  routes_.emplace((now ? now : old)->resource, key);
  return true;
}

bool Translator::note(const api::Key& key, const Snapshot<api::Service>& /*old*/,
                      const Snapshot<api::Service>& /*now*/) {
  services_.insert(key);
  return true;
}

bool Translator::note(const api::Key& /*key*/, const Snapshot<api::EndpointSlice>& old,
                      const Snapshot<api::EndpointSlice>& now) {
  if (workings_.backends) workings_.backends->change_slice(old, now);
  for (const auto& slice : {old, now}) {
    if (slice) endpoints_.insert({slice->meta.ns, slice->service});
  }
  return true;
}

bool Translator::note(const api::Key& key, const Snapshot<api::Secret>& /*old*/,
                      const Snapshot<api::Secret>& /*now*/) {
  const bool named = names_secret(state_, key);
  everything_ = everything_ || named;
  return named;
}

bool Translator::note(const api::Key& key, const Snapshot<api::ConfigMap>& /*old*/,
                      const Snapshot<api::ConfigMap>& /*now*/) {
  const bool named = names_config_map(state_, key);
  everything_ = everything_ || named;
  return named;
}

bool Translator::note(const api::Key& /*key*/, const Snapshot<api::Namespace>& old,
                      const Snapshot<api::Namespace>& now) {
  if ((old ? old->meta.labels : api::Labels{}) == (now ? now->meta.labels : api::Labels{})) return false;
  return everything_ = true;
}

void Translator::serve(routing::TablePtr table,
                       const std::vector<std::pair<std::string, std::string>>& failed) {
  auto changed = served_ && failed == failed_ ? follow(state_.served, *served_, *table) : std::nullopt;
  if (!changed) {
    Served now = served_by(*table, failed);
    if (now.listeners != state_.served.listeners || now.failed != state_.served.failed) everything_ = true;
    changed = differences(state_.served, now);
    state_.served = std::move(now);
  }
  for (const auto& [kind, key] : *changed) told_.emplace(resource_of(kind), key);
  served_ = std::move(table);
  failed_ = failed;
}

Translator::Changes Translator::run() {
  changes_ = {};
  if (everything_ || !go_on()) translate_all();
  everything_ = false;
  routes_.clear(), told_.clear(), services_.clear(), endpoints_.clear();
  return std::exchange(changes_, {});
}

void Translator::translate_all() {
  changes_ = {true, true, true, {}};
  state_.assigned = std::move(latest_.assigned);
  const routing::Table before = std::move(latest_.table);
  latest_ = translate(state_, options_, workings_);
  routing::share(latest_.table, before);
  index_.clear();
  uses_.assign(workings_.backends->size(), 0);
  auto& routes = workings_.graph.routes;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    index_.emplace(RouteId{routes[i].route->resource, routes[i].key()}, i);
    for (const auto backend : routes[i].backends) ++uses_[backend];
  }
}

bool Translator::go_on() {
  for (const auto& service : services_) {
    endpoints_.insert(service);
    const auto concerned = workings_.backends->backends_of(service);
    for (const auto& route : workings_.graph.routes) {
      if (std::any_of(concerned.begin(), concerned.end(),
                      [&](const auto& entry) { return route.backends.contains(entry.first); }))
        routes_.emplace(route.route->resource, route.key());
    }
  }
  for (const auto& service : endpoints_) {
    if (!change_backends(service)) return false;
  }
  for (const auto& id : routes_) {
    if (!change_route(id)) return false;
  }
  for (const auto& id : told_) tell_status(id);
  if (changes_.problems) latest_.problems = all_problems(workings_.graph);
  return true;
}

bool Translator::change_backends(const api::Key& service) {
  auto& backends = latest_.table.backends;
  for (auto& [index, backend] : workings_.backends->backends_of(service)) {
    const std::size_t at = workings_.position[index];
    if (*backends[at] == backend) continue;
    // Some are there once more for each identity that they are shown (client_certificate.h).
    if (backends.size() != workings_.position.size()) return false;
    backends[at] = std::move(backend);
    changes_.table = true;
  }
  return true;
}

bool Translator::change_route(const RouteId& id) {
  const auto found = index_.find(id);
  const auto& all = routes_of(state_, id.first);
  const auto now = all.find(id.second);
  if (found == index_.end() || now == all.end()) return false;
  RouteNode& old = workings_.graph.routes[found->second];
  if (!old.valid || !same_place(*old.route, *now->second)) return false;
  RouteNode next = attached_as(old, now->second);
  if (!next.parents.empty()) {
    translate_rules(next, *workings_.backends);
    if (!next.valid || next.rules.size() != old.rules.size() || next.policies != old.policies ||
        !count_uses(old, next) || !place(next, next.rules))
      return false;
  }
  changes_.problems = changes_.problems || next.problems != old.problems;
  old = std::move(next);
  tell_status(id);
  return true;
}

// False: the table has to get or to lose a backend.
bool Translator::count_uses(const RouteNode& old, const RouteNode& now) {
  if (workings_.backends->size() != uses_.size()) return false;
  for (const auto backend : now.backends) ++uses_[backend];
  for (const auto backend : old.backends) {
    if (--uses_[backend] == 0) return false;
  }
  return true;
}

// As place_rules() and make_table() do, in the places that the route has already.
bool Translator::place(const RouteNode& route, const std::vector<routing::Rule>& rules) {
  for (const auto& placed : route.placed) {
    for (const auto& parent : route.parents) {
      const auto at = std::find_if(parent.attachments.begin(), parent.attachments.end(),
                                   [&](const auto& one) { return one.listener == placed.listener; });
      if (at == parent.attachments.end()) continue;
      if (parent.gateway->gateway->client_certificate) return false;  // its backends are others
      for (std::size_t i = 0; i < rules.size(); ++i) {
        routing::Rule rule = rules[i];
        rule.hostnames = at->hostnames;
        reindex(rule, workings_.position);
        put_rule(*placed.listener, placed.first + i, rule);
      }
      break;
    }
  }
  return true;
}

void Translator::put_rule(const ListenerNode& listener, std::size_t index, const routing::Rule& rule) {
  const Shared<routing::Rule> shared = rule;
  for (std::size_t i = 0; i < listener.in_table; ++i) {
    auto& place = latest_.table.listeners[listener.first_in_table + i].rules[index];
    if (place == shared) continue;
    place = shared;
    changes_.table = true;
  }
}

void Translator::tell_status(const RouteId& id) {
  const auto found = index_.find(id);
  if (found == index_.end()) return;
  changes_.routes.insert(id);
  auto status = route_status(state_, workings_.graph.routes[found->second], options_.controller_name);
  auto& statuses = latest_.statuses.routes;
  if (status) {
    statuses[id.first->kind].insert_or_assign(id.second, std::move(*status));
  } else if (const auto kind = statuses.find(id.first->kind); kind != statuses.end()) {
    kind->second.erase(id.second);
  }
}

}  // namespace tidegate::gateway
