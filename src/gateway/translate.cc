// SPDX-License-Identifier: Apache-2.0
#include "gateway/translate.h"

#include <algorithm>
#include <utility>

#include "gateway/addresses.h"
#include "gateway/attachment.h"
#include "gateway/client_certificate.h"
#include "gateway/listeners.h"
#include "gateway/rules.h"

namespace tidegate::gateway {
namespace {

void find_our_gateways(const ClusterState& state, const TranslateOptions& options, Graph& graph) {
  for (const auto& [key, gateway_class] : state.classes) {
    if (gateway_class->controller_name == options.controller_name) graph.classes.emplace(key, gateway_class);
  }
  for (const auto& [key, gateway] : state.gateways) {
    if (graph.classes.contains({"", gateway->class_name})) graph.gateways[key].gateway = gateway;
  }
}

void check_gateway(const Graph& graph, GatewayNode& node) {
  const auto refuse = [&](Reason reason, std::string field, std::string detail) {
    node.accepted = false;
    node.problems.push_back({"Gateway", node.key(), "", std::move(field), reason, std::move(detail)});
  };
  const auto& gateway_class = *graph.classes.at({"", node.gateway->class_name});
  if (!gateway_class.parameters.empty()) {
    refuse(Reason::kClassNotAccepted, "spec.gatewayClassName",
           "GatewayClass " + shown(gateway_class.meta.name) + " is not accepted");
  }
  if (!node.gateway->parameters.empty()) {
    refuse(Reason::kGatewayParameters, "spec.infrastructure.parametersRef",
           shown(node.gateway->parameters) + " is not supported: expected none");
  }
  std::vector<std::string> bad;
  for (const auto& listener : node.listeners) {
    if (!listener.accepted) bad.push_back(shown(listener.spec->name));
  }
  if (bad.size() == node.listeners.size())
    refuse(Reason::kListenersNotValid, "spec.listeners", "not one listener is valid: see their conditions");
}

// What the proxies reported.
void note_failed_listeners(const ClusterState& state, GatewayNode& node) {
  for (auto& listener : node.listeners) {
    if (!listener.servable) continue;
    for (const auto& address : node.addresses) {
      const auto failed = state.served.failed.find(listener.endpoint(address));
      if (failed == state.served.failed.end()) continue;
      listener.problems.push_back({"Gateway", node.key(), listener.spec->name, listener.field() + ".port",
                                   Reason::kPortUnavailable,
                                   failed->first + " could not be opened: " + failed->second});
    }
  }
}

// GEP-718: of equal matches the oldest route's wins, then the first by namespace and name.
void find_routes_in_order(const ClusterState& state, Graph& graph) {
  graph.routes.reserve(state.http_routes.size() + state.grpc_routes.size());
  for (const auto* routes :
       {&state.http_routes, &state.grpc_routes, &state.tls_routes, &state.tcp_routes, &state.udp_routes}) {
    for (const auto& [key, route] : *routes) graph.routes.emplace_back().route = route;
  }
  const auto age = [](const RouteNode& node) { return std::pair(node.route->meta.created, node.key()); };
  std::stable_sort(graph.routes.begin(), graph.routes.end(),
                   [&](const auto& a, const auto& b) { return age(a) < age(b); });
}

// Puts the route's rules on each listener once, however many of its parentRefs lead there.
void place_rules(RouteNode& route) {
  std::vector<ListenerNode*> done;
  for (auto& parent : route.parents) {
    if (!route.valid) parent.attachments.clear();
    for (const auto& attachment : parent.attachments) {
      if (std::find(done.begin(), done.end(), attachment.listener) != done.end()) continue;
      done.push_back(attachment.listener);
      ++attachment.listener->attached_routes;
      attachment.listener->attached[route.route->resource].push_back({route.route, attachment.hostnames});
      if (!attachment.listener->servable) continue;
      route.placed.push_back({attachment.listener, attachment.listener->rules.size()});
      for (const auto& rule : route.rules)
        attachment.listener->rules.emplace_back(rule).hostnames = attachment.hostnames;
    }
  }
}

routing::Table make_table(Workings& workings) {
  auto& graph = workings.graph;
  routing::Table table;
  auto sorted = workings.backends->sorted();
  IdentifiedBackends identified(sorted.backends);
  for (auto& [key, node] : graph.gateways) {
    if (!node.accepted) continue;
    for (auto& listener : node.listeners) {
      if (!listener.servable) continue;
      for (auto& rule : listener.rules) reindex(rule, sorted.position);
      if (listener.protocol == routing::Protocol::kHttp) identified.lead_there(node, listener.rules);
      const auto rules = to_shared(std::exchange(listener.rules, {}));
      listener.first_in_table = table.listeners.size();
      listener.in_table = node.addresses.size();
      for (const auto& address : node.addresses) {
        table.listeners.push_back({key.ns, key.name, listener.spec->name, address,
                                   static_cast<std::uint16_t>(std::clamp(listener.spec->port, 0, 65535)),
                                   names_hosts(listener) ? listener.spec->hostname : "",
                                   listener.certificate_pem, listener.private_key_pem, rules,
                                   listener.protocol, listener.clients});
      }
    }
  }
  table.backends = to_shared(std::move(sorted.backends));
  workings.position = std::move(sorted.position);
  return table;
}

}  // namespace

void reindex(routing::Rule& rule, const std::vector<std::uint32_t>& position) {
  for (auto& choice : rule.backends) choice.backend = position[choice.backend];
  for (auto& filter : rule.filters) {
    if (auto* mirror = std::get_if<routing::Mirror>(&filter)) mirror->backend = position[mirror->backend];
  }
}

std::vector<Problem> all_problems(const Graph& graph) {
  std::vector<Problem> out;
  const auto add = [&](const std::vector<Problem>& more) { out.insert(out.end(), more.begin(), more.end()); };
  for (const auto& [key, gateway_class] : graph.classes) add(problems_of(*gateway_class));
  for (const auto& [key, node] : graph.gateways) {
    add(node.problems);
    for (const auto& listener : node.listeners) add(listener.problems);
  }
  for (const auto& route : graph.routes) {
    add(route.problems);
    for (const auto& parent : route.parents) add(parent.problems);
  }
  for (const auto& node : graph.policies) add(node.problems);
  return out;
}

Translation translate(const ClusterState& state, const TranslateOptions& options) {
  Workings workings;
  return translate(state, options, workings);
}

Translation translate(const ClusterState& state, const TranslateOptions& options, Workings& workings) {
  const auto pool = parse_pool(options.address_pool);
  TIDEGATE_ASSERT(pool.has_value());

  workings.backends.reset();
  Graph& graph = workings.graph = {};
  find_our_gateways(state, options, graph);
  for (auto& [key, gateway] : graph.gateways) {
    check_listeners(state, gateway);
    check_gateway(graph, gateway);
    check_client_certificate(state, gateway);
  }
  assign_addresses(state, *pool, graph);
  for (auto& [key, gateway] : graph.gateways) note_failed_listeners(state, gateway);

  Backends& backends = workings.backends.emplace(state, graph.policies);
  find_routes_in_order(state, graph);
  for (auto& route : graph.routes) {
    attach(state, graph, route);
    if (route.parents.empty()) continue;  // another controller's
    translate_rules(route, backends);
    place_rules(route);
  }

  Translation out;
  out.table = make_table(workings);
  out.statuses = make_statuses(state, graph, options.controller_name);
  for (const auto& [key, gateway] : graph.gateways) out.assigned[key] = gateway.addresses;
  out.problems = all_problems(graph);
  return out;
}

}  // namespace tidegate::gateway
