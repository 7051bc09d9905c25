// SPDX-License-Identifier: Apache-2.0
#include "api/routes.h"

#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace tidegate::api {
ParentReference decode_parent(const Json& json) {
  return {json::string_at(json, "group", kGatewayGroup),
          json::string_at(json, "kind", "Gateway"),
          json::string_at(json, "namespace"),
          json::string_at(json, "name"),
          json::string_at(json, "sectionName"),
          int32_at(json, "port")};
}

Json encode_parent(const ParentReference& parent) {
  Json out{{"group", parent.group}, {"kind", parent.kind}, {"name", parent.name}};
  if (!parent.ns.empty()) out["namespace"] = parent.ns;
  if (!parent.section_name.empty()) out["sectionName"] = parent.section_name;
  if (parent.port != 0) out["port"] = parent.port;
  return out;
}

namespace {

BackendReference decode_backend(const Json& json) {
  return {json::string_at(json, "group"), json::string_at(json, "kind", "Service"),
          json::string_at(json, "namespace"), json::string_at(json, "name"), int32_at(json, "port")};
}

std::vector<HttpHeader> decode_headers(const Json& array) {
  std::vector<HttpHeader> headers;
  for (const auto& item : array)
    headers.push_back({json::string_at(item, "name"), json::string_at(item, "value")});
  return headers;
}

std::optional<PathModifier> decode_path_modifier(const Json& from) {
  const Json* path = json::find(from, "path");
  if (!path || !path->is_object()) return std::nullopt;
  const std::string type = json::string_at(*path, "type");
  return PathModifier{
      type, json::string_at(*path, type == "ReplaceFullPath" ? "replaceFullPath" : "replacePrefixMatch")};
}

RedirectFilter decode_redirect(const Json& json) {
  return {json::string_at(json, "scheme"), text::lower(json::string_at(json, "hostname")),
          decode_path_modifier(json), int32_at(json, "port"), int32_at(json, "statusCode", 302)};
}

MirrorFilter decode_mirror(const Json& json) {
  MirrorFilter mirror;
  mirror.backend = decode_backend(json::object_at(json, "backendRef"));
  if (json::find(json, "percent")) mirror.percent = int32_at(json, "percent");
  if (json::find(json, "fraction")) {
    mirror.numerator = int32_at(json, "fraction.numerator");
    mirror.denominator = int32_at(json, "fraction.denominator", 100);
  }
  return mirror;
}

CorsFilter decode_cors(const Json& json) {
  return {decode_strings(json, "allowOrigins"),    decode_strings(json, "allowMethods"),
          decode_strings(json, "allowHeaders"),    decode_strings(json, "exposeHeaders"),
          json::bool_at(json, "allowCredentials"), int32_at(json, "maxAge", 5)};
}

RouteFilter decode_filter(const Json& json) {
  RouteFilter filter;
  filter.type = json::string_at(json, "type");
  const Json& headers = json::object_at(
      json, filter.type == "ResponseHeaderModifier" ? "responseHeaderModifier" : "requestHeaderModifier");
  filter.headers.set = decode_headers(json::array_at(headers, "set"));
  filter.headers.add = decode_headers(json::array_at(headers, "add"));
  filter.headers.remove = decode_strings(headers, "remove");
  filter.redirect = decode_redirect(json::object_at(json, "requestRedirect"));
  const Json& rewrite = json::object_at(json, "urlRewrite");
  filter.rewrite = {text::lower(json::string_at(rewrite, "hostname")), decode_path_modifier(rewrite)};
  filter.mirror = decode_mirror(json::object_at(json, "requestMirror"));
  filter.cors = decode_cors(json::object_at(json, "cors"));
  const Json& extension = json::object_at(json, "extensionRef");
  filter.extension = {json::string_at(extension, "group"), json::string_at(extension, "kind"), "",
                      json::string_at(extension, "name")};
  return filter;
}

std::vector<RouteFilter> decode_filters(const Json& array) {
  std::vector<RouteFilter> filters;
  for (const auto& item : array) filters.push_back(decode_filter(item));
  return filters;
}

std::vector<RouteValueMatch> decode_values(const Json& array) {
  std::vector<RouteValueMatch> values;
  for (const auto& item : array) {
    values.push_back({json::string_at(item, "type", "Exact"), json::string_at(item, "name"),
                      json::string_at(item, "value")});
  }
  return values;
}

RouteRetry decode_retry(const Json& json) {
  RouteRetry retry;
  for (const auto& code : json::array_at(json, "codes"))
    if (code.is_number_integer()) retry.codes.push_back(code.get<std::int32_t>());
  if (json::find(json, "attempts")) retry.attempts = int32_at(json, "attempts");
  retry.backoff = json::string_at(json, "backoff");
  return retry;
}

RouteMatch decode_http_match(const Json& json) {
  return {json::string_at(json, "path.type", "PathPrefix"),
          json::string_at(json, "path.value", "/"),
          json::string_at(json, "method"),
          decode_values(json::array_at(json, "headers")),
          decode_values(json::array_at(json, "queryParams")),
          std::nullopt};
}

RouteMatch decode_grpc_match(const Json& json) {
  RouteMatch match;
  match.headers = decode_values(json::array_at(json, "headers"));
  match.grpc = {json::string_at(json, "method.type", "Exact"), json::string_at(json, "method.service"),
                json::string_at(json, "method.method")};
  return match;
}

using DecodeMatch = RouteMatch (*)(const Json&);

RouteRule decode_rule(const Json& json, DecodeMatch decode_match) {
  RouteRule rule;
  rule.name = json::string_at(json, "name");
  for (const auto& item : json::array_at(json, "matches")) rule.matches.push_back(decode_match(item));
  if (rule.matches.empty()) rule.matches.push_back(decode_match(Json::object()));
  rule.filters = decode_filters(json::array_at(json, "filters"));
  for (const auto& item : json::array_at(json, "backendRefs")) {
    rule.backends.push_back(
        {decode_backend(item), int32_at(item, "weight", 1), decode_filters(json::array_at(item, "filters"))});
  }
  rule.request_timeout = json::string_at(json, "timeouts.request");
  rule.backend_request_timeout = json::string_at(json, "timeouts.backendRequest");
  if (const Json* retry = json::find(json, "retry")) rule.retry = decode_retry(*retry);
  if (const Json* session = json::find(json, "sessionPersistence")) {
    rule.session = {json::string_at(*session, "sessionName"), json::string_at(*session, "type", "Cookie"),
                    json::string_at(*session, "cookieConfig.lifetimeType", "Session"),
                    json::string_at(*session, "absoluteTimeout"), json::string_at(*session, "idleTimeout")};
  }
  return rule;
}

Route decode_route(const Json& json, const Resource& resource, DecodeMatch decode_match) {
  Route route;
  route.resource = &resource;
  route.meta = decode_meta(json);
  for (const auto& item : json::array_at(json, "spec.parentRefs"))
    route.parents.push_back(decode_parent(item));
  for (const auto& hostname : decode_strings(json, "spec.hostnames"))
    route.hostnames.push_back(text::lower(hostname));
  for (const auto& item : json::array_at(json, "spec.rules"))
    route.rules.push_back(decode_rule(item, decode_match));
  if (route.rules.empty()) route.rules.push_back(decode_rule(Json::object(), decode_match));
  for (const auto& item : json::array_at(json, "status.parents")) {
    route.status.parents.push_back({decode_parent(json::object_at(item, "parentRef")),
                                    json::string_at(item, "controllerName"),
                                    decode_conditions(json::array_at(item, "conditions"))});
  }
  return route;
}

}  // namespace

Route decode_http_route(const Json& json) { return decode_route(json, kHttpRoutes, decode_http_match); }
Route decode_grpc_route(const Json& json) { return decode_route(json, kGrpcRoutes, decode_grpc_match); }

// Rules of layer 4 match nothing: what HTTP would match is at its default.
Route decode_tls_route(const Json& json) { return decode_route(json, kTlsRoutes, decode_http_match); }
Route decode_tcp_route(const Json& json) {
  Route route = decode_route(json, kTcpRoutes, decode_http_match);
  route.hostnames.clear();  // not a field of theirs
  return route;
}
Route decode_udp_route(const Json& json) {
  Route route = decode_route(json, kUdpRoutes, decode_http_match);
  route.hostnames.clear();
  return route;
}

Json encode_status(const RouteStatus& status) {
  Json parents = Json::array();
  for (const auto& parent : status.parents) {
    parents.push_back(Json{{"parentRef", encode_parent(parent.parent)},
                           {"controllerName", parent.controller},
                           {"conditions", encode_conditions(parent.conditions)}});
  }
  return {{"parents", std::move(parents)}};
}

}  // namespace tidegate::api
