// SPDX-License-Identifier: Apache-2.0
// The routes of Gateway API as the gateway controller reads them, and the status that it writes. Decoding is
// total and applies the defaults of the CRD. Enumerations stay text, so that a value we do not know can be
// named in a message. Not: checked (gateway/rules.h). Thread: none; plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/condition.h"
#include "api/gateway.h"
#include "api/object.h"

namespace tidegate::api {

inline constexpr Resource kHttpRoutes{kGatewayGroup, "v1", "httproutes", "HTTPRoute"};
inline constexpr Resource kGrpcRoutes{kGatewayGroup, "v1", "grpcroutes", "GRPCRoute"};
inline constexpr Resource kTlsRoutes{kGatewayGroup, "v1", "tlsroutes", "TLSRoute"};
inline constexpr Resource kTcpRoutes{kGatewayGroup, "v1", "tcproutes", "TCPRoute"};
inline constexpr Resource kUdpRoutes{kGatewayGroup, "v1", "udproutes", "UDPRoute"};

struct ParentReference {
  std::string group{kGatewayGroup}, kind = "Gateway";
  std::string ns;  // as written: empty means the route's
  std::string name, section_name;
  std::int32_t port = 0;  // 0: any
  friend bool operator==(const ParentReference&, const ParentReference&) = default;
};

ParentReference decode_parent(const Json& json);
Json encode_parent(const ParentReference& parent);

struct HttpHeader {
  std::string name, value;
};
struct HeaderFilter {
  std::vector<HttpHeader> set, add;
  std::vector<std::string> remove;
};
struct PathModifier {
  std::string type;   // ReplaceFullPath, ReplacePrefixMatch
  std::string value;  // of the field that the type names
};
struct RedirectFilter {
  std::string scheme, hostname;
  std::optional<PathModifier> path;
  std::int32_t port = 0;  // 0: not set
  std::int32_t status_code = 302;
};
struct RewriteFilter {
  std::string hostname;
  std::optional<PathModifier> path;
};
struct BackendReference {
  std::string group, kind = "Service", ns, name;
  std::int32_t port = 0;
};
struct MirrorFilter {
  BackendReference backend;
  std::optional<std::int32_t> percent;
  std::optional<std::int32_t> numerator;
  std::int32_t denominator = 100;
};
struct CorsFilter {
  std::vector<std::string> allow_origins, allow_methods, allow_headers, expose_headers;
  bool allow_credentials = false;
  std::int32_t max_age = 5;  // seconds
};
struct RouteFilter {
  std::string type;
  // The fields of the type; the one that `type` names is set, the rest at their defaults.
  HeaderFilter headers;
  RedirectFilter redirect;
  RewriteFilter rewrite;
  MirrorFilter mirror;
  CorsFilter cors;
  ObjectReference extension;
};

struct RouteValueMatch {  // of headers and query parameters
  std::string type = "Exact", name, value;
};
struct GrpcMethodMatch {
  std::string type = "Exact", service, method;  // empty: any
};
struct RouteMatch {
  std::string path_type = "PathPrefix", path = "/";
  std::string method;
  std::vector<RouteValueMatch> headers, query;
  std::optional<GrpcMethodMatch> grpc;  // of a GRPCRoute: in place of path, method and query
};
struct WeightedReference {
  BackendReference backend;
  std::int32_t weight = 1;
  std::vector<RouteFilter> filters;
};
struct RouteRetry {
  std::vector<std::int32_t> codes;
  std::optional<std::int32_t> attempts;
  std::string backoff;  // as written
};
struct RouteSession {
  std::string name, type = "Cookie", lifetime = "Session";
  std::string absolute_timeout, idle_timeout;  // as written
};
struct RouteRule {
  std::string name;
  std::vector<RouteMatch> matches;  // never empty: the default is all paths
  std::vector<RouteFilter> filters;
  std::vector<WeightedReference> backends;
  std::string request_timeout, backend_request_timeout;  // as written
  std::optional<RouteRetry> retry;
  std::optional<RouteSession> session;
};

struct RouteParentStatus {
  ParentReference parent;
  std::string controller;
  std::vector<Condition> conditions;
  friend bool operator==(const RouteParentStatus&, const RouteParentStatus&) = default;
};
struct RouteStatus {
  std::vector<RouteParentStatus> parents;
  friend bool operator==(const RouteStatus&, const RouteStatus&) = default;
};

// Of any kind: what a kind lacks stays at its default.
struct Route {
  const Resource* resource = &kHttpRoutes;
  Meta meta;
  std::vector<ParentReference> parents;
  std::vector<std::string> hostnames;  // lower case
  std::vector<RouteRule> rules;
  RouteStatus status;
};
Route decode_http_route(const Json& json);
Route decode_grpc_route(const Json& json);
Route decode_tls_route(const Json& json);
Route decode_tcp_route(const Json& json);
Route decode_udp_route(const Json& json);
Json encode_status(const RouteStatus& status);

}  // namespace tidegate::api
