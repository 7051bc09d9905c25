// SPDX-License-Identifier: Apache-2.0
// The working form of one translation: our Gateways with their listeners, and the routes with their parents,
// each with the problems found so far. Steps (listeners.h, attachment.h, rules.h, ...) fill it in the order
// of translate.cc; statuses.h and the table are read off it. Thread: none; lives for one call of translate().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/cluster_state.h"
#include "gateway/problems.h"
#include "routing/table.h"

namespace tidegate::gateway {

struct ListenerNode {
  const api::GatewayListener* spec = nullptr;
  std::size_t index = 0;
  routing::Protocol protocol = routing::Protocol::kHttp;
  std::vector<api::RouteKind> kinds;  // that may attach: what is asked for and the protocol carries
  bool accepted = true;               // the fields are fine and nothing conflicts
  bool conflicted = false;
  bool servable = true;  // accepted, and its certificates are there: it goes into the table
  std::string certificate_pem, private_key_pem;
  std::optional<routing::ClientValidation> clients;
  std::int32_t attached_routes = 0;
  struct Attached {
    std::shared_ptr<const api::Route> route;
    std::vector<std::string> hostnames;  // empty: whatever the listener takes
  };
  std::map<const api::Resource*, std::vector<Attached>> attached;  // valid routes, by kind
  std::vector<Problem> problems;
  std::vector<routing::Rule> rules;              // until they are in the table
  std::size_t first_in_table = 0, in_table = 0;  // of Table::listeners: one for each address

  std::string field() const { return indexed("spec.listeners", index); }
  std::string endpoint(const std::string& address) const {
    return endpoint_text(address, spec->port, protocol == routing::Protocol::kUdp);
  }
};

struct GatewayNode {
  std::shared_ptr<const api::Gateway> gateway;
  std::vector<ListenerNode> listeners;
  bool accepted = true;
  std::vector<std::string> addresses;  // usable ones
  std::optional<routing::ClientIdentity> identity;
  std::string no_identity;  // why there is none, though one is asked for; empty: fine
  std::vector<Problem> problems;

  api::Key key() const { return gateway->meta.key(); }
};

// One parentRef of a route that names a Gateway of ours.
struct ParentNode {
  const api::ParentReference* reference = nullptr;
  GatewayNode* gateway = nullptr;
  struct Attachment {
    ListenerNode* listener = nullptr;
    std::vector<std::string> hostnames;  // empty: whatever the listener takes
  };
  std::vector<Attachment> attachments;  // empty: not accepted
  std::vector<Problem> problems;
};

struct PolicyNode {  // a BackendTLSPolicy
  std::shared_ptr<const api::BackendTlsPolicy> policy;
  routing::BackendTls tls;
  std::set<api::Key> gateways;  // ours, with routes to a Service that it is about
  std::vector<Problem> problems;

  api::Key key() const { return policy->meta.key(); }
};

struct RouteNode {
  std::shared_ptr<const api::Route> route;
  std::vector<ParentNode> parents;
  std::vector<routing::Rule> rules;      // without hostnames
  bool valid = true;                     // false: a value that we do not know; nothing of it is served
  std::vector<Problem> problems;         // of the route itself: the same for every parent
  std::size_t attach_problems = 0;       // of these the first so many are not of its rules
  std::set<std::uint32_t> backends;      // of the list of Backends, that its rules refer to
  std::set<const PolicyNode*> policies;  // that apply to these
  struct Placed {
    ListenerNode* listener;
    std::size_t first;  // of its rules in the listener's
  };
  std::vector<Placed> placed;

  api::Key key() const { return route->meta.key(); }
  std::string kind() const { return std::string(route->resource->kind); }
  bool is_grpc() const { return route->resource == &api::kGrpcRoutes; }
  bool is_udp() const { return route->resource == &api::kUdpRoutes; }
  // Layer 4: what comes in is carried on as it is.
  bool is_tunnel() const { return route->resource != &api::kHttpRoutes && !is_grpc(); }
};

struct Graph {
  std::map<api::Key, std::shared_ptr<const api::GatewayClass>> classes;  // ours
  std::map<api::Key, GatewayNode> gateways;                              // of our classes
  std::vector<PolicyNode> policies;                                      // oldest first, then by ns/name
  std::vector<RouteNode> routes;  // oldest first, then by ns/name: the order that breaks ties
};

}  // namespace tidegate::gateway
