// SPDX-License-Identifier: Apache-2.0
#include "gateway/listeners.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "gateway/client_validation.h"
#include "gateway/tls_secret.h"

namespace tidegate::gateway {
namespace {

using routing::Protocol;

struct ProtocolRow {
  std::string_view name;
  std::string_view family;  // one family has a port; UDP's are others
  Protocol protocol;
  std::vector<api::RouteKind> kinds;
};

api::RouteKind kind_of(const api::Resource& resource) {
  return {std::string(resource.group), std::string(resource.kind)};
}

const std::array<ProtocolRow, 5>& protocols() {
  static const std::array<ProtocolRow, 5> rows{{
      {"HTTP", "HTTP", Protocol::kHttp, {kind_of(api::kHttpRoutes), kind_of(api::kGrpcRoutes)}},
      {"HTTPS", "TLS", Protocol::kHttp, {kind_of(api::kHttpRoutes), kind_of(api::kGrpcRoutes)}},
      {"TLS", "TLS", Protocol::kTls, {kind_of(api::kTlsRoutes)}},
      {"TCP", "TCP", Protocol::kTcp, {kind_of(api::kTcpRoutes)}},
      {"UDP", "UDP", Protocol::kUdp, {kind_of(api::kUdpRoutes)}},
  }};
  return rows;
}

// Null: a protocol that we do not know.
const ProtocolRow* protocol_of(const api::GatewayListener& listener) {
  const auto& rows = protocols();
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.name == listener.protocol; });
  return found == rows.end() ? nullptr : &*found;
}

void report(const GatewayNode& gateway, ListenerNode& listener, Reason reason, std::string_view field,
            std::string detail) {
  const auto& row = gateway::row(reason);
  if (row.condition == "Accepted") listener.accepted = listener.servable = false;
  std::string path = listener.field();
  if (!field.empty()) path.append(".").append(field);
  listener.problems.push_back(
      {"Gateway", gateway.key(), listener.spec->name, std::move(path), reason, std::move(detail)});
}

void check_protocol(const GatewayNode& gateway, ListenerNode& listener) {
  if (const auto* known = protocol_of(*listener.spec)) {
    listener.protocol = known->protocol;
    return;
  }
  report(gateway, listener, Reason::kUnsupportedProtocol, "protocol",
         shown(listener.spec->protocol) + " is not served here: expected HTTP, HTTPS, TLS, TCP or UDP");
}

// ---- conflicts: nobody wins, as the specification asks ----

// A protocol that we do not know holds no port.
void check_conflicts(const GatewayNode& gateway, std::vector<ListenerNode>& listeners,
                     ListenerNode& listener) {
  const auto* mine = protocol_of(*listener.spec);
  if (mine == nullptr) return;
  for (const auto& other : listeners) {
    if (&other == &listener || other.spec->port != listener.spec->port) continue;
    const auto* its = protocol_of(*other.spec);
    if (its == nullptr || (mine->protocol == Protocol::kUdp) != (its->protocol == Protocol::kUdp)) continue;
    const std::string whose = "listener " + shown(other.spec->name) + " (" + other.spec->protocol +
                              ", port " + std::to_string(other.spec->port) + ")";
    if (its->family != mine->family || !names_hosts(listener)) {
      listener.conflicted = true;
      return report(gateway, listener, Reason::kProtocolConflict, "protocol",
                    shown(listener.spec->protocol) + " cannot share the port with " + whose);
    }
    if (other.spec->hostname == listener.spec->hostname) {
      listener.conflicted = true;
      return report(gateway, listener, Reason::kHostnameConflict, "hostname",
                    shown(listener.spec->hostname) + " is also taken by " + whose +
                        ": expected another hostname or port");
    }
  }
}

// ---- allowed kinds ----

void check_kinds(const GatewayNode& gateway, ListenerNode& listener) {
  const auto* known = protocol_of(*listener.spec);
  if (known == nullptr) return;
  const auto& asked = listener.spec->allowed_routes.kinds;
  if (asked.empty()) listener.kinds = known->kinds;
  std::vector<std::string> names;
  for (const auto& kind : known->kinds) names.push_back(kind.kind);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (std::find(known->kinds.begin(), known->kinds.end(), asked[i]) != known->kinds.end()) {
      if (std::find(listener.kinds.begin(), listener.kinds.end(), asked[i]) == listener.kinds.end())
        listener.kinds.push_back(asked[i]);
    } else {
      report(gateway, listener, Reason::kInvalidRouteKinds, indexed("allowedRoutes.kinds", i),
             shown(asked[i].group + "/" + asked[i].kind) + " is not served by a listener of protocol " +
                 listener.spec->protocol + ": expected " + text::join(names, " or "));
    }
  }
}

void check_namespaces(const GatewayNode& gateway, ListenerNode& listener) {
  const auto& from = listener.spec->allowed_routes.from;
  if (from == "Same" || from == "All" || from == "Selector") return;
  report(gateway, listener, Reason::kUnsupportedListenerValue, "allowedRoutes.namespaces.from",
         shown(from) + " is not known: expected Same, All or Selector");
}

// ---- certificates ----

void take_certificate(const ClusterState& state, const GatewayNode& gateway, ListenerNode& listener,
                      std::size_t index) {
  const auto found =
      find_tls_secret(state, gateway.gateway->meta.ns, listener.spec->tls->certificate_refs[index]);
  const std::string field = indexed("tls.certificateRefs", index) + found.field;
  if (found.secret == nullptr) {
    return report(gateway, listener,
                  found.permitted ? Reason::kInvalidCertificateRef : Reason::kCertificateRefNotPermitted,
                  field, found.fault);
  }
  if (!listener.certificate_pem.empty()) {
    return report(gateway, listener, Reason::kIgnoredField, field,
                  "only the first certificate of a listener is served");
  }
  listener.certificate_pem = found.secret->data.at("tls.crt");
  listener.private_key_pem = found.secret->data.at("tls.key");
}

void check_tls(const ClusterState& state, const GatewayNode& gateway, ListenerNode& listener) {
  const auto& protocol = listener.spec->protocol;
  if (protocol != "HTTPS" && protocol != "TLS") return;
  const auto& tls = listener.spec->tls;
  if (protocol == "TLS" && tls && tls->mode == "Passthrough") return;
  if (tls && tls->mode != "Terminate") {
    report(gateway, listener, Reason::kUnsupportedListenerValue, "tls.mode",
           shown(tls->mode) + " does not go with protocol " + protocol + ": expected Terminate" +
               (protocol == "TLS" ? " or Passthrough" : ""));
  }
  // Serving without the check that was asked for would let strangers in.
  if (tls && tls->frontend_validation) {
    report(gateway, listener, Reason::kUnsupportedListenerValue, "tls.frontendValidation",
           "is not supported: expected the same in spec.tls.frontend");
  }
  check_client_validation(state, gateway, listener);
  if (!tls || tls->certificate_refs.empty()) {
    report(gateway, listener, Reason::kInvalidCertificateRef, "tls.certificateRefs",
           "is empty: expected a Secret with a certificate");
  } else {
    for (std::size_t i = 0; i < tls->certificate_refs.size(); ++i)
      take_certificate(state, gateway, listener, i);
  }
  const bool all_resolved =
      std::none_of(listener.problems.begin(), listener.problems.end(), [](const Problem& p) {
        return p.reason == Reason::kInvalidCertificateRef || p.reason == Reason::kCertificateRefNotPermitted;
      });
  if (!all_resolved) listener.servable = false;
}

}  // namespace

bool names_hosts(const ListenerNode& listener) {
  return listener.protocol == Protocol::kHttp || listener.protocol == Protocol::kTls;
}

void check_listeners(const ClusterState& state, GatewayNode& gateway) {
  const auto& specs = gateway.gateway->listeners;
  gateway.listeners.resize(specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    gateway.listeners[i].spec = &specs[i];
    gateway.listeners[i].index = i;
  }
  for (auto& listener : gateway.listeners) check_protocol(gateway, listener);
  for (auto& listener : gateway.listeners) {
    check_conflicts(gateway, gateway.listeners, listener);
    check_kinds(gateway, listener);
    check_namespaces(gateway, listener);
    check_tls(state, gateway, listener);
  }
}

}  // namespace tidegate::gateway
