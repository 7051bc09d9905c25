// SPDX-License-Identifier: Apache-2.0
#include "api/gateway.h"

#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace tidegate::api {
namespace {

// "apps/ConfigMap name": enough to name it in a message.
std::string reference_text(const Json* reference) {
  if (!reference || !reference->is_object()) return {};
  return json::string_at(*reference, "group") + "/" + json::string_at(*reference, "kind") + " " +
         json::string_at(*reference, "name");
}

std::vector<RouteKind> decode_kinds(const Json& array) {
  std::vector<RouteKind> kinds;
  for (const auto& item : array)
    kinds.push_back({json::string_at(item, "group", kGatewayGroup), json::string_at(item, "kind")});
  return kinds;
}

std::vector<GatewayAddress> decode_addresses(const Json& array) {
  std::vector<GatewayAddress> addresses;
  for (const auto& item : array)
    addresses.push_back({json::string_at(item, "type", "IPAddress"), json::string_at(item, "value")});
  return addresses;
}

AllowedRoutes decode_allowed_routes(const Json& listener) {
  AllowedRoutes allowed;
  allowed.from = json::string_at(listener, "allowedRoutes.namespaces.from", "Same");
  allowed.selector = decode_selector(json::find(listener, "allowedRoutes.namespaces.selector"));
  allowed.kinds = decode_kinds(json::array_at(listener, "allowedRoutes.kinds"));
  return allowed;
}

ObjectReference decode_secret_reference(const Json& json) {
  return {json::string_at(json, "group"), json::string_at(json, "kind", "Secret"),
          json::string_at(json, "namespace"), json::string_at(json, "name")};
}

ObjectReference decode_ca_reference(const Json& json) {
  return {json::string_at(json, "group"), json::string_at(json, "kind"), json::string_at(json, "namespace"),
          json::string_at(json, "name")};
}

std::optional<ClientValidation> decode_client_validation(const Json& tls) {
  const Json* found = json::find(tls, "validation");
  if (!found) return std::nullopt;
  ClientValidation out;
  for (const auto& item : json::array_at(*found, "caCertificateRefs"))
    out.ca_refs.push_back(decode_ca_reference(item));
  out.mode = json::string_at(*found, "mode", out.mode);
  return out;
}

void decode_frontend(const Json& frontend, Gateway& gateway) {
  if (const Json* tls = json::find(frontend, "default"))
    gateway.client_validation = decode_client_validation(*tls);
  for (const auto& item : json::array_at(frontend, "perPort")) {
    auto& of_port = gateway.client_validation_per_port.emplace_back();
    of_port.port = int32_at(item, "port");
    if (const Json* tls = json::find(item, "tls")) of_port.validation = decode_client_validation(*tls);
  }
}

GatewayListener decode_listener(const Json& json) {
  GatewayListener listener;
  listener.name = json::string_at(json, "name");
  listener.hostname = text::lower(json::string_at(json, "hostname"));
  listener.protocol = json::string_at(json, "protocol");
  listener.port = int32_at(json, "port");
  if (const Json* tls = json::find(json, "tls"); tls && tls->is_object()) {
    listener.tls.emplace();
    listener.tls->mode = json::string_at(*tls, "mode", "Terminate");
    for (const auto& item : json::array_at(*tls, "certificateRefs"))
      listener.tls->certificate_refs.push_back(decode_secret_reference(item));
    listener.tls->frontend_validation = json::find(*tls, "frontendValidation") != nullptr;
  }
  listener.allowed_routes = decode_allowed_routes(json);
  return listener;
}

GatewayStatus decode_gateway_status(const Json& json) {
  GatewayStatus status;
  status.addresses = decode_addresses(json::array_at(json, "status.addresses"));
  status.conditions = decode_conditions(json::array_at(json, "status.conditions"));
  for (const auto& item : json::array_at(json, "status.listeners")) {
    status.listeners.push_back(
        {json::string_at(item, "name"), decode_kinds(json::array_at(item, "supportedKinds")),
         int32_at(item, "attachedRoutes"), decode_conditions(json::array_at(item, "conditions"))});
  }
  return status;
}

}  // namespace

GatewayClass decode_gateway_class(const Json& json) {
  GatewayClass out;
  out.meta = decode_meta(json);
  out.controller_name = json::string_at(json, "spec.controllerName");
  out.parameters = reference_text(json::find(json, "spec.parametersRef"));
  out.status.conditions = decode_conditions(json::array_at(json, "status.conditions"));
  for (const auto& item : json::array_at(json, "status.supportedFeatures"))
    out.status.supported_features.push_back(json::string_at(item, "name"));
  return out;
}

Json encode_status(const GatewayClassStatus& status) {
  Json features = Json::array();
  for (const auto& name : status.supported_features) features.push_back(Json{{"name", name}});
  return {{"conditions", encode_conditions(status.conditions)}, {"supportedFeatures", std::move(features)}};
}

Gateway decode_gateway(const Json& json) {
  Gateway gateway;
  gateway.meta = decode_meta(json);
  gateway.class_name = json::string_at(json, "spec.gatewayClassName");
  for (const auto& item : json::array_at(json, "spec.listeners"))
    gateway.listeners.push_back(decode_listener(item));
  gateway.addresses = decode_addresses(json::array_at(json, "spec.addresses"));
  gateway.parameters = reference_text(json::find(json, "spec.infrastructure.parametersRef"));
  if (const Json* reference = json::find(json, "spec.tls.backend.clientCertificateRef"))
    gateway.client_certificate = decode_secret_reference(*reference);
  if (const Json* frontend = json::find(json, "spec.tls.frontend")) decode_frontend(*frontend, gateway);
  gateway.status = decode_gateway_status(json);
  return gateway;
}

Json encode_status(const GatewayStatus& status) {
  Json addresses = Json::array();
  for (const auto& address : status.addresses)
    addresses.push_back(Json{{"type", address.type}, {"value", address.value}});
  Json listeners = Json::array();
  for (const auto& listener : status.listeners) {
    Json kinds = Json::array();
    for (const auto& kind : listener.supported_kinds)
      kinds.push_back(Json{{"group", kind.group}, {"kind", kind.kind}});
    listeners.push_back(Json{{"name", listener.name},
                             {"supportedKinds", std::move(kinds)},
                             {"attachedRoutes", listener.attached_routes},
                             {"conditions", encode_conditions(listener.conditions)}});
  }
  return {{"addresses", std::move(addresses)},
          {"conditions", encode_conditions(status.conditions)},
          {"listeners", std::move(listeners)}};
}

ReferenceGrant decode_reference_grant(const Json& json) {
  ReferenceGrant grant;
  grant.meta = decode_meta(json);
  for (const auto& item : json::array_at(json, "spec.from")) {
    grant.from.push_back(
        {json::string_at(item, "group"), json::string_at(item, "kind"), json::string_at(item, "namespace")});
  }
  for (const auto& item : json::array_at(json, "spec.to"))
    grant.to.push_back(
        {json::string_at(item, "group"), json::string_at(item, "kind"), json::string_at(item, "name")});
  return grant;
}

}  // namespace tidegate::api
