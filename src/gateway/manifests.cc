// SPDX-License-Identifier: Apache-2.0
#include "gateway/manifests.h"

#include <nlohmann/json.hpp>

namespace tidegate::gateway {
namespace {

template <typename T>
bool add(Snapshots<T>& to, const api::Resource& resource, T object) {
  auto& meta = object.meta;
  if (resource.namespaced && meta.ns.empty()) meta.ns = "default";
  if (!resource.namespaced) meta.ns.clear();
  if (meta.generation == 0) meta.generation = 1;
  const api::Key key = meta.key();
  to[key] = std::make_shared<const T>(std::move(object));
  return true;
}

// stringData is write-only: an API server moves it into data.
api::Secret decode_written_secret(const Json& document) {
  api::Secret secret = api::decode_secret(document);
  for (const auto& [key, value] : json::object_at(document, "stringData").items()) {
    if (value.is_string()) secret.data[key] = value.get<std::string>();
  }
  return secret;
}

// Versions are not looked at: those of one kind differ in nothing that we read.
bool is(const Json& document, const api::Resource& resource) {
  const std::string api_version = json::string_at(document, "apiVersion");
  const std::string group =
      api_version.find('/') == std::string::npos ? "" : api_version.substr(0, api_version.find('/'));
  return group == resource.group && json::string_at(document, "kind") == resource.kind;
}

}  // namespace

bool add_object(ClusterState& state, const Json& document) {
  using namespace api;
  if (is(document, kGatewayClasses))
    return add(state.classes, kGatewayClasses, decode_gateway_class(document));
  if (is(document, kGateways)) return add(state.gateways, kGateways, decode_gateway(document));
  if (is(document, kHttpRoutes)) return add(state.http_routes, kHttpRoutes, decode_http_route(document));
  if (is(document, kGrpcRoutes)) return add(state.grpc_routes, kGrpcRoutes, decode_grpc_route(document));
  if (is(document, kTlsRoutes)) return add(state.tls_routes, kTlsRoutes, decode_tls_route(document));
  if (is(document, kTcpRoutes)) return add(state.tcp_routes, kTcpRoutes, decode_tcp_route(document));
  if (is(document, kUdpRoutes)) return add(state.udp_routes, kUdpRoutes, decode_udp_route(document));
  if (is(document, kReferenceGrants))
    return add(state.grants, kReferenceGrants, decode_reference_grant(document));
  if (is(document, kServices)) return add(state.services, kServices, decode_service(document));
  if (is(document, kEndpointSlices))
    return add(state.slices, kEndpointSlices, decode_endpoint_slice(document));
  if (is(document, kSecrets)) return add(state.secrets, kSecrets, decode_written_secret(document));
  if (is(document, kNamespaces)) return add(state.namespaces, kNamespaces, decode_namespace(document));
  if (is(document, kBackendTlsPolicies))
    return add(state.tls_policies, kBackendTlsPolicies, decode_backend_tls_policy(document));
  if (is(document, kConfigMaps)) return add(state.config_maps, kConfigMaps, decode_config_map(document));
  return false;
}

}  // namespace tidegate::gateway
