// SPDX-License-Identifier: Apache-2.0
// GatewayClass, Gateway and ReferenceGrant as the gateway controller reads them, and the statuses that it
// writes. Decoding is total and applies the defaults of the CRDs, so that a manifest read from a file and the
// same object read from an API server are equal. Not: checked (gateway/). Thread: none; plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/condition.h"
#include "api/object.h"

namespace tidegate::api {

inline constexpr std::string_view kGatewayGroup = "gateway.networking.k8s.io";
inline constexpr Resource kGatewayClasses{kGatewayGroup, "v1", "gatewayclasses", "GatewayClass", false};
inline constexpr Resource kGateways{kGatewayGroup, "v1", "gateways", "Gateway"};
// v1beta1: served by every release of the CRDs; v1 only since 1.5.
inline constexpr Resource kReferenceGrants{kGatewayGroup, "v1beta1", "referencegrants", "ReferenceGrant"};

// ---- GatewayClass ----

struct GatewayClassStatus {
  std::vector<Condition> conditions;
  std::vector<std::string> supported_features;
  friend bool operator==(const GatewayClassStatus&, const GatewayClassStatus&) = default;
};
struct GatewayClass {
  Meta meta;
  std::string controller_name;
  std::string parameters;  // parametersRef as text; empty: none
  GatewayClassStatus status;
};
GatewayClass decode_gateway_class(const Json& json);
Json encode_status(const GatewayClassStatus& status);

// ---- Gateway ----

struct RouteKind {
  std::string group, kind;
  friend auto operator<=>(const RouteKind&, const RouteKind&) = default;
};
struct ObjectReference {
  std::string group, kind, ns, name;  // ns empty: that of the object that holds the reference
};
struct AllowedRoutes {
  std::string from = "Same";  // Same, All, Selector
  std::optional<LabelSelector> selector;
  std::vector<RouteKind> kinds;  // empty: what the protocol takes
};
// GEP-91: what clients have to show.
struct ClientValidation {
  std::vector<ObjectReference> ca_refs;
  std::string mode = "AllowValidOnly";  // or AllowInsecureFallback
};
struct ListenerTls {
  std::string mode = "Terminate";
  std::vector<ObjectReference> certificate_refs;
  bool frontend_validation = false;  // of releases before 1.4: asks for client certificates
};
struct GatewayListener {
  std::string name, hostname, protocol;
  std::int32_t port = 0;
  std::optional<ListenerTls> tls;
  AllowedRoutes allowed_routes;
};
struct GatewayAddress {
  std::string type = "IPAddress", value;
  friend bool operator==(const GatewayAddress&, const GatewayAddress&) = default;
};
struct ListenerStatus {
  std::string name;
  std::vector<RouteKind> supported_kinds;
  std::int32_t attached_routes = 0;
  std::vector<Condition> conditions;
  friend bool operator==(const ListenerStatus&, const ListenerStatus&) = default;
};
struct GatewayStatus {
  std::vector<GatewayAddress> addresses;
  std::vector<Condition> conditions;
  std::vector<ListenerStatus> listeners;
  friend bool operator==(const GatewayStatus&, const GatewayStatus&) = default;
};
struct Gateway {
  Meta meta;
  std::string class_name;
  std::vector<GatewayListener> listeners;
  std::vector<GatewayAddress> addresses;
  std::string parameters;                             // infrastructure.parametersRef as text; empty: none
  std::optional<ObjectReference> client_certificate;  // spec.tls.backend.clientCertificateRef
  // spec.tls.frontend, for listeners of HTTPS. A port that is named here has its own, or none.
  std::optional<ClientValidation> client_validation;
  struct OfPort {
    std::int32_t port = 0;
    std::optional<ClientValidation> validation;
  };
  std::vector<OfPort> client_validation_per_port;
  GatewayStatus status;
};
Gateway decode_gateway(const Json& json);
Json encode_status(const GatewayStatus& status);

// ---- ReferenceGrant ----

struct ReferenceGrant {
  struct From {
    std::string group, kind, ns;
  };
  struct To {
    std::string group, kind, name;  // name empty: all
  };
  Meta meta;
  std::vector<From> from;
  std::vector<To> to;
};
ReferenceGrant decode_reference_grant(const Json& json);

}  // namespace tidegate::api
