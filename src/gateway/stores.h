// SPDX-License-Identifier: Apache-2.0
// The caches of all kinds that the translation looks at. Thread: control; filled by reflectors.
#pragma once

#include "gateway/cluster_state.h"
#include "kube/store.h"

namespace tidegate::gateway {

struct Stores {
  kube::Store<api::GatewayClass> classes{api::decode_gateway_class};
  kube::Store<api::Gateway> gateways{api::decode_gateway};
  kube::Store<api::Route> http_routes{api::decode_http_route};
  kube::Store<api::Route> grpc_routes{api::decode_grpc_route};
  kube::Store<api::Route> tls_routes{api::decode_tls_route};
  kube::Store<api::Route> tcp_routes{api::decode_tcp_route};
  kube::Store<api::Route> udp_routes{api::decode_udp_route};
  kube::Store<api::ReferenceGrant> grants{api::decode_reference_grant};
  kube::Store<api::Service> services{api::decode_service};
  kube::Store<api::EndpointSlice> slices{api::decode_endpoint_slice};
  kube::Store<api::Secret> secrets{api::decode_secret};
  kube::Store<api::Namespace> namespaces{api::decode_namespace};
  kube::Store<api::BackendTlsPolicy> tls_policies{api::decode_backend_tls_policy};
  kube::Store<api::ConfigMap> config_maps{api::decode_config_map};
};

}  // namespace tidegate::gateway
