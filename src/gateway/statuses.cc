// SPDX-License-Identifier: Apache-2.0
#include "gateway/statuses.h"

#include <algorithm>

#include "gateway/client_validation.h"
#include "gateway/features.h"
#include "gateway/limits.h"

namespace tidegate::gateway {
namespace {

using Found = std::vector<const Problem*>;

api::Condition condition(std::string_view type, std::string_view status, std::string_view reason,
                         std::string message, std::int64_t generation) {
  return {std::string(type), std::string(status), std::string(reason), std::move(message), generation, {}};
}

// The condition of this type that the problems make: False with the first one's reason, else True, with the
// warnings that turn nothing false.
api::Condition fold(std::string_view type, std::string_view good_reason, std::string good_message,
                    const Found& problems, std::int64_t generation) {
  Found bad, warnings;
  for (const auto* problem : problems) {
    const auto& row = gateway::row(problem->reason);
    if (row.condition == type) bad.push_back(problem);
    if (row.condition.empty() && type == "Accepted") warnings.push_back(problem);
  }
  if (!bad.empty()) return condition(type, "False", row(bad.front()->reason).text, message(bad), generation);
  if (!warnings.empty()) good_message += " Note: " + message(warnings);
  return condition(type, "True", good_reason, std::move(good_message), generation);
}

Found found(const std::vector<Problem>& problems) {
  Found out;
  for (const auto& problem : problems) out.push_back(&problem);
  return out;
}

bool has_problem_for(const std::vector<Problem>& problems, std::string_view type) {
  return std::any_of(problems.begin(), problems.end(),
                     [&](const auto& problem) { return row(problem.reason).condition == type; });
}

// ---- how far the proxies are ----

enum class Progress : std::uint8_t { kUnknown, kPending, kServed, kFailed };

Progress progress_of(const Served& served, const GatewayNode& gateway, const ListenerNode& listener) {
  if (!served.known) return Progress::kUnknown;
  for (const auto& address : gateway.addresses) {
    const std::string endpoint = listener.endpoint(address);
    if (served.failed.contains(endpoint)) return Progress::kFailed;
    if (!served.listeners.contains({gateway.key(), listener.spec->name, endpoint})) return Progress::kPending;
  }
  return Progress::kServed;
}

// A listener counts as programmed once its address can't be lost any more.
bool addresses_stand(const GatewayNode& gateway) {
  const auto& standing = gateway.gateway->status.addresses;
  return std::equal(standing.begin(), standing.end(), gateway.addresses.begin(), gateway.addresses.end(),
                    [](const auto& a, const auto& b) { return a.value == b; });
}

constexpr const char* kWaiting = "Waiting for the proxies to take up the configuration.";
constexpr const char* kOffline = "Not known without a running proxy.";

// ---- listeners ----

api::Condition listener_programmed(const ClusterState& state, const GatewayNode& gateway,
                                   const ListenerNode& listener) {
  const std::int64_t generation = gateway.gateway->meta.generation;
  const auto say = [&](const char* status, const char* reason, std::string message) {
    return condition("Programmed", status, reason, std::move(message), generation);
  };
  if (!listener.servable)
    return say("False", "Invalid", "The listener is not valid: see its other conditions.");
  if (!gateway.accepted || gateway.addresses.empty())
    return say("False", "Invalid", "The Gateway takes no traffic: see its conditions.");
  switch (progress_of(state.served, gateway, listener)) {
    case Progress::kUnknown:
      return say("Unknown", "Pending", kOffline);
    case Progress::kPending:
      return say("False", "Pending", kWaiting);
    case Progress::kFailed:
      return fold("Programmed", "", "", found(listener.problems), generation);
    case Progress::kServed:
      break;
  }
  if (!addresses_stand(gateway))
    return say("False", "Pending", "Waiting for the Gateway's address to be written.");
  return say("True", "Programmed",
             "The listener takes traffic on " + listener.endpoint(gateway.addresses.front()) + ".");
}

api::ListenerStatus listener_status(const ClusterState& state, const GatewayNode& gateway,
                                    const ListenerNode& listener) {
  const std::int64_t generation = gateway.gateway->meta.generation;
  const auto problems = found(listener.problems);
  api::ListenerStatus status;
  status.name = listener.spec->name;
  if (listener.accepted) status.supported_kinds = listener.kinds;
  status.attached_routes = listener.attached_routes;
  status.conditions.push_back(fold("Accepted", "Accepted", "The listener is valid.", problems, generation));
  if (listener.conflicted) {
    const auto& accepted = status.conditions.front();
    status.conditions.push_back(
        condition("Conflicted", "True", accepted.reason, accepted.message, generation));
  }
  status.conditions.push_back(listener_programmed(state, gateway, listener));
  status.conditions.push_back(
      fold("ResolvedRefs", "ResolvedRefs", "All references are resolved.", problems, generation));
  return status;
}

// ---- Gateways ----

// What turns this condition false on any of its listeners.
Found found_on_listeners(const GatewayNode& node, std::string_view type) {
  Found out;
  for (const auto& listener : node.listeners) {
    for (const auto& problem : listener.problems) {
      if (row(problem.reason).condition == type) out.push_back(&problem);
    }
  }
  return out;
}

api::Condition gateway_accepted(const GatewayNode& node) {
  auto accepted = fold("Accepted", "Accepted", "The Gateway is valid.", found(node.problems),
                       node.gateway->meta.generation);
  const Found bad = found_on_listeners(node, "Accepted");
  // True with this reason where other listeners are fine, as the specification has it.
  if (!bad.empty() && accepted.status == "True") {
    accepted.reason = row(Reason::kListenersNotValid).text;
    accepted.message = message(bad);
  }
  return accepted;
}

api::Condition gateway_programmed(const GatewayNode& node,
                                  const std::vector<api::ListenerStatus>& listeners) {
  const std::int64_t generation = node.gateway->meta.generation;
  const auto say = [&](const char* status, const char* reason, std::string message) {
    return condition("Programmed", status, reason, std::move(message), generation);
  };
  if (!node.accepted) return say("False", "Invalid", "The Gateway is not accepted: it takes no traffic.");
  if (has_problem_for(node.problems, "Programmed"))
    return fold("Programmed", "", "", found(node.problems), generation);
  // Listeners that are not valid do not hold up the others: they say so themselves.
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    if (!node.listeners[i].servable) continue;
    const auto* programmed = api::find_condition(listeners[i].conditions, "Programmed");
    if (programmed->status == "True") continue;
    const bool pending = programmed->reason == "Pending";
    return say(programmed->status.c_str(), pending ? "Pending" : "Invalid",
               "Listener " + shown(listeners[i].name) + ": " + programmed->message);
  }
  if (!addresses_stand(node))
    return say("False", "Pending", "Waiting for the Gateway's address to be written.");
  return say("True", "Programmed", "The Gateway takes traffic on " + node.addresses.front() + ".");
}

// What it refers to itself, and a summary of its listeners'.
api::Condition gateway_resolved(const GatewayNode& node) {
  auto resolved = fold("ResolvedRefs", "ResolvedRefs", "All references are resolved.", found(node.problems),
                       node.gateway->meta.generation);
  const Found bad = found_on_listeners(node, "ResolvedRefs");
  if (!bad.empty() && resolved.status == "True") {
    resolved.status = "False";
    resolved.reason = row(Reason::kListenersNotResolved).text;
    resolved.message = message(bad);
  }
  return resolved;
}

// GEP-91: only while it holds.
std::optional<api::Condition> gateway_insecure(const GatewayNode& node) {
  if (!allows_insecure_fallback(*node.gateway)) return std::nullopt;
  return condition("InsecureFrontendValidationMode", "True", "ConfigurationChanged",
                   "spec.tls.frontend: clients are let in without a valid certificate where the mode is "
                   "AllowInsecureFallback.",
                   node.gateway->meta.generation);
}

api::GatewayStatus gateway_status(const ClusterState& state, const GatewayNode& node) {
  api::GatewayStatus status;
  for (const auto& address : node.addresses) status.addresses.push_back({"IPAddress", address});
  for (const auto& listener : node.listeners)
    status.listeners.push_back(listener_status(state, node, listener));
  status.conditions = {gateway_accepted(node), gateway_programmed(node, status.listeners)};
  // Of an experimental type: only where there is something to say that the listeners do not.
  if (node.gateway->client_certificate) status.conditions.push_back(gateway_resolved(node));
  if (auto insecure = gateway_insecure(node)) status.conditions.push_back(std::move(*insecure));
  return status;
}

// ---- routes ----

api::Condition route_programmed(const ClusterState& state, const RouteNode& route, const ParentNode& parent) {
  const std::int64_t generation = route.route->meta.generation;
  const auto say = [&](const char* status, const char* reason, std::string message) {
    return condition(kRouteProgrammed, status, reason, std::move(message), generation);
  };
  if (parent.attachments.empty())
    return say("False", "Invalid", "The route is not accepted: it is not served here.");
  bool served = true;
  for (const auto& [listener, hostnames] : parent.attachments) {
    if (!listener->servable || !parent.gateway->accepted || parent.gateway->addresses.empty()) {
      return say("False", "ListenerNotProgrammed",
                 "Listener " + shown(listener->spec->name) + " takes no traffic.");
    }
    switch (progress_of(state.served, *parent.gateway, *listener)) {
      case Progress::kUnknown:
        return say("Unknown", "Pending", kOffline);
      case Progress::kFailed:
        return say("False", "ListenerNotProgrammed",
                   "Listener " + shown(listener->spec->name) + " could not be opened.");
      case Progress::kPending:
      case Progress::kServed:
        break;
    }
    if (state.served.generation(route.kind(), route.key(), parent.gateway->key(), listener->spec->name) !=
        generation)
      served = false;
  }
  if (!served) return say("False", "Pending", kWaiting);
  return say("True", "Programmed",
             "Every proxy of Gateway " + to_string(parent.gateway->key()) + " serves this generation.");
}

api::RouteParentStatus parent_status(const ClusterState& state, const RouteNode& route,
                                     const ParentNode& parent, std::string_view controller_name) {
  const std::int64_t generation = route.route->meta.generation;
  Found problems = found(parent.problems);
  for (const auto& problem : route.problems) problems.push_back(&problem);
  return {*parent.reference,
          std::string(controller_name),
          {fold("Accepted", "Accepted",
                "The route is accepted by Gateway " + to_string(parent.gateway->key()) + ".", problems,
                generation),
           fold("ResolvedRefs", "ResolvedRefs", "All references are resolved.", problems, generation),
           route_programmed(state, route, parent)}};
}

bool has_entry(const std::vector<api::RouteParentStatus>& entries, std::string_view controller_name) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const auto& entry) { return entry.controller == controller_name; });
}

// ---- policies ----

api::PolicyStatus policy_status(const PolicyNode& node, std::string_view controller_name) {
  const std::int64_t generation = node.policy->meta.generation;
  const auto problems = found(node.problems);
  api::PolicyStatus status;
  for (const auto& gateway : node.gateways) {
    auto& entry = status.ancestors.emplace_back();
    entry.parent.ns = gateway.ns;
    entry.parent.name = gateway.name;
    entry.controller = controller_name;
    entry.conditions = {
        fold("Accepted", "Accepted", "Its backends are spoken to over TLS.", problems, generation),
        fold("ResolvedRefs", "ResolvedRefs", "All references are resolved.", problems, generation)};
  }
  return status;
}

}  // namespace

std::vector<Problem> problems_of(const api::GatewayClass& gateway_class) {
  if (gateway_class.parameters.empty()) return {};
  return {{"GatewayClass", gateway_class.meta.key(), "", "spec.parametersRef", Reason::kClassParameters,
           shown(gateway_class.parameters) + " is not supported: expected none"}};
}

std::optional<api::RouteStatus> Statuses::of_route(std::string_view kind, const api::Key& key) const {
  const auto all = routes.find(kind);
  if (all == routes.end()) return std::nullopt;
  const auto found = all->second.find(key);
  if (found == all->second.end()) return std::nullopt;
  return found->second;
}

std::optional<api::RouteStatus> route_status(const ClusterState& state, const RouteNode& route,
                                             std::string_view controller_name) {
  if (route.parents.empty() && !has_entry(route.route->status.parents, controller_name)) return std::nullopt;
  api::RouteStatus status;
  for (const auto& parent : route.parents)
    status.parents.push_back(parent_status(state, route, parent, controller_name));
  return status;
}

Statuses make_statuses(const ClusterState& state, const Graph& graph, std::string_view controller_name) {
  Statuses out;
  for (const auto& [key, gateway_class] : graph.classes) {
    const auto problems = problems_of(*gateway_class);
    auto& status = out.classes[key];
    status.conditions = {fold("Accepted", "Accepted", "Gateways of this class are served.", found(problems),
                              gateway_class->meta.generation)};
    status.supported_features.assign(kSupportedFeatures.begin(), kSupportedFeatures.end());
  }
  for (const auto& [key, node] : graph.gateways) out.gateways.emplace(key, gateway_status(state, node));
  for (const auto& route : graph.routes) {
    if (auto status = route_status(state, route, controller_name))
      out.routes[route.route->resource->kind].emplace(route.key(), std::move(*status));
  }
  for (const auto& node : graph.policies) {
    if (node.gateways.empty() && !has_entry(node.policy->status.ancestors, controller_name)) continue;
    out.tls_policies.emplace(node.key(), policy_status(node, controller_name));
  }
  return out;
}

api::GatewayClassStatus merge_status(const api::GatewayClassStatus& current,
                                     const api::GatewayClassStatus& wanted, std::string_view, TimePoint now) {
  return {api::merge_conditions(current.conditions, wanted.conditions, now), wanted.supported_features};
}

api::GatewayStatus merge_status(const api::GatewayStatus& current, const api::GatewayStatus& wanted,
                                std::string_view, TimePoint now) {
  api::GatewayStatus out = wanted;
  out.conditions = api::merge_conditions(current.conditions, wanted.conditions, now);
  for (auto& listener : out.listeners) {
    const auto before = std::find_if(current.listeners.begin(), current.listeners.end(),
                                     [&](const auto& l) { return l.name == listener.name; });
    const std::vector<api::Condition> none;
    listener.conditions = api::merge_conditions(before == current.listeners.end() ? none : before->conditions,
                                                std::move(listener.conditions), now);
  }
  return out;
}

namespace {

// Entries stay where they stand, so that controllers do not take turns in reordering the list.
std::vector<api::RouteParentStatus> merge_entries(const std::vector<api::RouteParentStatus>& current,
                                                  std::vector<api::RouteParentStatus> left,
                                                  std::string_view controller_name, TimePoint now,
                                                  std::size_t most) {
  std::vector<api::RouteParentStatus> out;
  const auto add = [&](const api::RouteParentStatus& entry, const std::vector<api::Condition>& before) {
    out.push_back(entry);
    out.back().conditions = api::merge_conditions(before, entry.conditions, now);
  };
  for (const auto& entry : current) {
    if (entry.controller != controller_name) {
      out.push_back(entry);
      continue;
    }
    const auto same =
        std::find_if(left.begin(), left.end(), [&](const auto& one) { return one.parent == entry.parent; });
    if (same == left.end()) continue;
    add(*same, entry.conditions);
    left.erase(same);
  }
  for (const auto& entry : left) add(entry, {});
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace

api::RouteStatus merge_status(const api::RouteStatus& current, const api::RouteStatus& wanted,
                              std::string_view controller_name, TimePoint now) {
  return {merge_entries(current.parents, wanted.parents, controller_name, now, kParentsInStatus)};
}

api::PolicyStatus merge_status(const api::PolicyStatus& current, const api::PolicyStatus& wanted,
                               std::string_view controller_name, TimePoint now) {
  return {merge_entries(current.ancestors, wanted.ancestors, controller_name, now, kAncestorsInStatus)};
}

}  // namespace tidegate::gateway
