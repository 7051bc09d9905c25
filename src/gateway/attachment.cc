// SPDX-License-Identifier: Apache-2.0
#include "gateway/attachment.h"

#include <algorithm>

#include "base/text.h"

namespace tidegate::gateway {
namespace {

bool is_wildcard(std::string_view hostname) { return hostname.starts_with("*."); }

// Whether every name that `inner` stands for is one that the wildcard `outer` stands for.
bool covers(std::string_view outer, std::string_view inner) {
  const auto suffix = outer.substr(1);  // ".example.com"
  if (is_wildcard(inner)) inner.remove_prefix(1);
  return inner.size() >= suffix.size() && inner.ends_with(suffix) &&
         (inner.size() > suffix.size() || inner.front() == '.');
}

class Attacher {
 public:
  Attacher(const ClusterState& state, const RouteNode& route, std::size_t index, ParentNode& parent)
      : state_(state), route_(*route.route), index_(index), parent_(parent) {}

  void run() {
    std::vector<ListenerNode*> named;
    for (auto& listener : parent_.gateway->listeners) {
      if (is_named(listener)) named.push_back(&listener);
    }
    if (named.empty()) return report(Reason::kNoMatchingParent, "", unmatched());
    std::vector<ListenerNode*> open;
    for (auto* listener : named) {
      if (allows(*listener)) open.push_back(listener);
    }
    if (open.empty()) return report(Reason::kNotAllowedByListeners, "", refusal(named));
    std::vector<std::string> taken;
    for (auto* listener : open) {
      auto hostnames = hostnames_on(*listener);
      if (!hostnames) continue;
      if (const auto other = taken_by(*listener, *hostnames))
        taken.push_back(listener_text(*listener, *other));
      else
        parent_.attachments.push_back({listener, std::move(*hostnames)});
    }
    if (!parent_.attachments.empty()) return;
    if (taken.empty()) return report_hostnames(open);
    report(
        Reason::kNotAllowedByListeners, "spec.hostnames",
        text::join(taken, ", ") + ": expected other hostnames than those of an older route of another kind");
  }

 private:
  void report(Reason reason, std::string_view field, std::string detail) {
    parent_.problems.push_back({std::string(route_.resource->kind), route_.meta.key(), std::to_string(index_),
                                field.empty() ? indexed("spec.parentRefs", index_) : std::string(field),
                                reason, std::move(detail)});
  }

  // Both sectionName and port must hold for the same listener.
  bool is_named(const ListenerNode& listener) const {
    const auto& ref = *parent_.reference;
    return (ref.section_name.empty() || ref.section_name == listener.spec->name) &&
           (ref.port == 0 || ref.port == listener.spec->port);
  }

  std::string gateway_text() const { return "Gateway " + to_string(parent_.gateway->key()); }

  std::string unmatched() const {
    const auto& ref = *parent_.reference;
    std::string wanted;
    if (!ref.section_name.empty()) wanted += " sectionName " + shown(ref.section_name);
    if (ref.port != 0) wanted += (wanted.empty() ? " port " : " and port ") + std::to_string(ref.port);
    std::vector<std::string> names;
    for (const auto& l : parent_.gateway->listeners)
      names.push_back(l.spec->name + " (port " + std::to_string(l.spec->port) + ")");
    return gateway_text() + " has no listener with" + wanted + ": it has " +
           (names.empty() ? "none" : text::join(names, ", "));
  }

  bool allows_namespace(const ListenerNode& listener) const {
    const auto& allowed = listener.spec->allowed_routes;
    if (allowed.from == "All") return true;
    if (allowed.from == "Same") return route_.meta.ns == parent_.gateway->gateway->meta.ns;
    if (allowed.from != "Selector" || !allowed.selector) return false;
    const auto ns = state_.namespaces.find({"", route_.meta.ns});
    api::Labels labels = ns == state_.namespaces.end() ? api::Labels{} : ns->second->meta.labels;
    labels.emplace("kubernetes.io/metadata.name",
                   route_.meta.ns);  // the API server sets it; files may lack it
    return allowed.selector->matches(labels);
  }

  bool allows_kind(const ListenerNode& listener) const {
    const api::RouteKind kind{std::string(route_.resource->group), std::string(route_.resource->kind)};
    return std::find(listener.kinds.begin(), listener.kinds.end(), kind) != listener.kinds.end();
  }

  bool allows(const ListenerNode& listener) const {
    return allows_kind(listener) && allows_namespace(listener);
  }

  std::string refusal(const std::vector<ListenerNode*>& listeners) const {
    std::vector<std::string> parts;
    for (const auto* listener : listeners) {
      const std::string name = "listener " + shown(listener->spec->name);
      const auto& from = listener->spec->allowed_routes.from;
      if (!allows_kind(*listener)) {
        parts.push_back(name + " takes no " + std::string(route_.resource->kind));
      } else if (from == "Selector") {
        parts.push_back(name + " takes routes of namespaces that its selector matches, not of " +
                        shown(route_.meta.ns));
      } else {
        parts.push_back(name + " takes routes of its own namespace " +
                        shown(parent_.gateway->gateway->meta.ns) + ", not of " + shown(route_.meta.ns));
      }
    }
    return gateway_text() + ": " + text::join(parts, ", ");
  }

  // nullopt: none in common. Empty: whatever the listener takes.
  std::optional<std::vector<std::string>> hostnames_on(const ListenerNode& listener) const {
    std::vector<std::string> out;
    if (route_.hostnames.empty()) return out;
    for (const auto& hostname : route_.hostnames) {
      const auto common = intersect_hostnames(hostname, listener.spec->hostname);
      if (common && std::find(out.begin(), out.end(), *common) == out.end()) out.push_back(*common);
    }
    if (out.empty()) return std::nullopt;
    return out;
  }

  // An older route of the other kind that has one of these hostnames: only one of the two may be accepted.
  std::shared_ptr<const api::Route> taken_by(const ListenerNode& listener,
                                             const std::vector<std::string>& hostnames) const {
    const auto meets = [&](const std::vector<std::string>& others) {
      if (hostnames.empty() || others.empty()) return true;
      return std::any_of(hostnames.begin(), hostnames.end(), [&](const auto& a) {
        return std::any_of(others.begin(), others.end(),
                           [&](const auto& b) { return intersect_hostnames(a, b).has_value(); });
      });
    };
    for (const auto& [kind, attached] : listener.attached) {
      if (kind == route_.resource) continue;
      for (const auto& [route, others] : attached) {
        if (meets(others)) return route;
      }
    }
    return nullptr;
  }

  static std::string listener_text(const ListenerNode& listener, const api::Route& other) {
    return "listener " + shown(listener.spec->name) + " serves " + std::string(other.resource->kind) + " " +
           to_string(other.meta.key()) + " at the same hostname";
  }

  std::string listener_hostnames(const std::vector<ListenerNode*>& listeners) const {
    std::vector<std::string> names;
    for (const auto* l : listeners) names.push_back(l->spec->name + " " + shown(l->spec->hostname));
    return text::join(names, ", ");
  }

  void report_hostnames(const std::vector<ListenerNode*>& listeners) {
    std::vector<std::string> names;
    for (const auto& name : route_.hostnames) names.push_back(shown(name));
    report(Reason::kNoMatchingListenerHostname, "spec.hostnames",
           text::join(names, ", ") + " matches no listener of " + gateway_text() + ": expected within " +
               listener_hostnames(listeners));
  }

  const ClusterState& state_;
  const api::Route& route_;
  std::size_t index_;
  ParentNode& parent_;
};

// Some hostnames lead somewhere; those that lead nowhere are likely slips of the pen.
void note_unreachable_hostnames(RouteNode& node) {
  std::vector<std::string> within;
  std::vector<bool> reached(node.route->hostnames.size());
  for (const auto& parent : node.parents) {
    for (const auto& attachment : parent.attachments) {
      const auto& hostname = attachment.listener->spec->hostname;
      within.push_back(shown(hostname));
      for (std::size_t i = 0; i < reached.size(); ++i)
        reached[i] = reached[i] || intersect_hostnames(node.route->hostnames[i], hostname).has_value();
    }
  }
  for (std::size_t i = 0; !within.empty() && i < reached.size(); ++i) {
    if (reached[i]) continue;
    node.problems.push_back({node.kind(), node.key(), "", indexed("spec.hostnames", i),
                             Reason::kUnreachableHostname,
                             shown(node.route->hostnames[i]) +
                                 " matches no listener that the route is attached to: expected within " +
                                 text::join(within, ", ")});
  }
}

}  // namespace

std::optional<std::string> intersect_hostnames(std::string_view a, std::string_view b) {
  if (a.empty() || a == b) return std::string(b);
  if (b.empty()) return std::string(a);
  if (is_wildcard(a) && covers(a, b)) return std::string(b);
  if (is_wildcard(b) && covers(b, a)) return std::string(a);
  return std::nullopt;
}

void attach(const ClusterState& state, Graph& graph, RouteNode& node) {
  const auto& route = *node.route;
  for (std::size_t i = 0; i < route.parents.size(); ++i) {
    const auto& reference = route.parents[i];
    if (reference.group != api::kGatewayGroup || reference.kind != "Gateway") continue;
    const api::Key key{reference.ns.empty() ? route.meta.ns : reference.ns, reference.name};
    const auto gateway = graph.gateways.find(key);
    if (gateway != graph.gateways.end()) {
      auto& parent = node.parents.emplace_back(ParentNode{&reference, &gateway->second, {}, {}});
      Attacher(state, node, i, parent).run();
    } else if (!state.gateways.contains(key)) {
      node.problems.push_back({node.kind(), route.meta.key(), "", indexed("spec.parentRefs", i) + ".name",
                               Reason::kNoSuchGateway, "Gateway " + to_string(key) + " does not exist"});
    }
  }
  note_unreachable_hostnames(node);
  node.attach_problems = node.problems.size();
}

}  // namespace tidegate::gateway
