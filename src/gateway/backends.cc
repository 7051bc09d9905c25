// SPDX-License-Identifier: Apache-2.0
#include "gateway/backends.h"

#include <algorithm>

#include "base/text.h"
#include "gateway/limits.h"
#include "gateway/references.h"

namespace tidegate::gateway {
namespace {

std::string_view transport(bool udp) { return udp ? "UDP" : "TCP"; }

const api::ServicePort* find_port(const api::Service& service, std::int32_t port, bool udp) {
  const auto it = std::find_if(service.ports.begin(), service.ports.end(),
                               [&](const auto& p) { return p.port == port && p.protocol == transport(udp); });
  return it == service.ports.end() ? nullptr : &*it;
}

// What the table calls it; empty: a protocol that only a TLS policy could make sense of.
std::string protocol_of(const api::ServicePort& port, bool tls) {
  if (port.app_protocol == "kubernetes.io/h2c") return "h2c";
  if (port.app_protocol == "kubernetes.io/ws") return "ws";
  if (port.app_protocol == "kubernetes.io/wss") return tls ? "ws" : "";
  return "http";
}

// The port that a slice gives for a Service's port: by name, the target port being resolved in it already. A
// slice kept by hand may leave the number out, which means that of the Service's target.
std::uint16_t slice_port(const api::EndpointSlice& slice, const api::ServicePort& port) {
  for (const auto& candidate : slice.ports) {
    if (candidate.name != port.name || candidate.protocol != port.protocol) continue;
    std::int64_t number = candidate.port;
    if (number == 0) number = text::parse_int(port.target_port).value_or(port.port);
    return number > 0 && number <= 65535 ? static_cast<std::uint16_t>(number) : 0;
  }
  return 0;
}

std::string port_list(const api::Service& service, bool udp) {
  std::vector<std::string> ports;
  for (const auto& port : service.ports) {
    if (port.protocol == transport(udp)) ports.push_back(std::to_string(port.port));
  }
  return ports.empty() ? "none" : text::join(ports, ", ");
}

}  // namespace

void Backends::change_slice(const std::shared_ptr<const api::EndpointSlice>& old,
                            const std::shared_ptr<const api::EndpointSlice>& now) {
  if (old) {
    const auto at = slices_.find({old->meta.ns, old->service});
    if (at != slices_.end()) at->second.erase(old->meta.key());
    if (at != slices_.end() && at->second.empty()) slices_.erase(at);
  }
  if (now && now->address_type != "FQDN") slices_[{now->meta.ns, now->service}][now->meta.key()] = now;
}

std::vector<routing::Endpoint> Backends::endpoints(const api::Service& service,
                                                   const api::ServicePort& port) const {
  std::vector<routing::Endpoint> out;
  const auto slices = slices_.find(service.meta.key());
  if (slices == slices_.end()) return out;
  for (const auto& [key, slice] : slices->second) {
    const std::uint16_t number = slice_port(*slice, port);
    if (number == 0) continue;
    for (const auto& endpoint : slice->endpoints) {
      const bool draining = endpoint.terminating && endpoint.serving;
      if (endpoint.addresses.empty() || !(draining || (endpoint.ready && !endpoint.terminating))) continue;
      out.push_back({endpoint.addresses.front(), number, draining});  // the API: consumers use the first
    }
  }
  // An address may stand in two slices while they are rearranged; the one that is not draining sorts first.
  std::sort(out.begin(), out.end());
  const auto same = [](const auto& a, const auto& b) { return a.ip == b.ip && a.port == b.port; };
  out.erase(std::unique(out.begin(), out.end(), same), out.end());
  if (out.size() > kEndpointsInBackend) out.resize(kEndpointsInBackend);
  return out;
}

std::uint32_t Backends::index_of(RouteNode& route, const Id& id) {
  const auto index = by_id_.try_emplace(id, static_cast<std::uint32_t>(by_id_.size())).first->second;
  route.backends.insert(index);
  return index;
}

routing::Backend Backends::backend(const Id& id) const {
  routing::Backend backend;
  bool udp = false, foreign = false;
  std::tie(backend.ns, backend.name, backend.port, udp, foreign) = id;
  backend.protocol = udp ? "udp" : "http";
  const auto service = state_.services.find({backend.ns, backend.name});
  const bool known = !foreign && service != state_.services.end();
  const auto* port = known ? find_port(*service->second, backend.port, udp) : nullptr;
  if (!port) return backend;
  const auto* tls = udp ? nullptr : tls_.of(*service->second, *port);
  if (tls) backend.tls = *tls;
  if (const auto protocol = protocol_of(*port, tls != nullptr); !udp && !protocol.empty())
    backend.protocol = protocol;
  if (service->second->type != "ExternalName") backend.endpoints = endpoints(*service->second, *port);
  return backend;
}

std::map<std::uint32_t, routing::Backend> Backends::backends_of(const api::Key& service) const {
  std::map<std::uint32_t, routing::Backend> out;
  for (auto it = by_id_.lower_bound({service.ns, service.name, 0, false, false}); it != by_id_.end(); ++it) {
    if (std::get<0>(it->first) != service.ns || std::get<1>(it->first) != service.name) break;
    out.emplace(it->second, backend(it->first));
  }
  return out;
}

ResolvedBackend Backends::resolve(RouteNode& route, const api::BackendReference& reference,
                                  const std::string& field, std::string_view effect) {
  const auto& route_ns = route.route->meta.ns;
  const api::Key key{reference.ns.empty() ? route_ns : reference.ns, reference.name};
  const auto number = static_cast<std::uint16_t>(std::clamp(reference.port, 0, 65535));
  const bool is_service = reference.group.empty() && reference.kind == "Service";
  const auto found = is_service ? state_.services.find(key) : state_.services.end();
  const api::Service* service = found == state_.services.end() ? nullptr : found->second.get();

  const auto refuse = [&](Reason reason, std::string_view part, std::string detail) {
    route.problems.push_back(
        {route.kind(), route.key(), "", field + std::string(part), reason, detail, effect});
    return ResolvedBackend{index_of(route, {key.ns, key.name, number, route.is_udp(), !is_service}),
                           std::move(detail)};
  };
  if (!is_service) {
    return refuse(Reason::kInvalidKind, ".kind",
                  shown(reference.group + "/" + reference.kind) + " is not supported: expected a Service");
  }
  // Before anything is said of the Service: whether it exists is the other namespace's business.
  const api::ObjectReference to{"", "Service", key.ns, key.name};
  if (!is_permitted(state_.grants, {api::kGatewayGroup, route.kind(), route_ns}, to)) {
    return refuse(Reason::kBackendRefNotPermitted, "",
                  "no ReferenceGrant in namespace " + shown(key.ns) + " lets " + route.kind() +
                      "s of namespace " + shown(route_ns) + " use Service " + shown(key.name));
  }
  if (!service)
    return refuse(Reason::kBackendNotFound, ".name", "Service " + to_string(key) + " does not exist");
  // Following a name that anyone may write would lead out of the cluster (CVE-2021-25740 and its kin).
  if (service->type == "ExternalName") {
    return refuse(Reason::kInvalidKind, ".name",
                  "Service " + to_string(key) + " is of type ExternalName: expected one with endpoints");
  }
  if (reference.port == 0)
    return refuse(Reason::kBackendNotFound, ".port", "is not set: expected a port of the Service");
  const auto* port = find_port(*service, reference.port, route.is_udp());
  if (!port) {
    return refuse(Reason::kBackendNotFound, ".port",
                  std::to_string(reference.port) + " is not a " + std::string(transport(route.is_udp())) +
                      " port of Service " + to_string(key) + ": it has " +
                      port_list(*service, route.is_udp()));
  }
  if (route.is_tunnel())
    return {index_of(route, {key.ns, key.name, number, route.is_udp(), false}), "", service};
  tls_.note_use(route, *service, *port);
  const std::string protocol = protocol_of(*port, tls_.of(*service, *port) != nullptr);
  if (protocol.empty()) {
    return refuse(Reason::kUnsupportedBackendProtocol, ".port",
                  "appProtocol " + shown(port->app_protocol) + " of Service " + to_string(key) +
                      " is not supported without a BackendTLSPolicy: expected HTTP/1, h2c or WebSocket");
  }
  return {index_of(route, {key.ns, key.name, number, false, false}), "", service};
}

Backends::Sorted Backends::sorted() const {
  Sorted out;
  out.position.resize(by_id_.size());
  for (const auto& [id, index] : by_id_) {  // the map's order is the canonical one
    out.position[index] = static_cast<std::uint32_t>(out.backends.size());
    out.backends.push_back(backend(id));
  }
  return out;
}

}  // namespace tidegate::gateway
