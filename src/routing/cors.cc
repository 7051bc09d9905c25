// SPDX-License-Identifier: Apache-2.0
#include "routing/cors.h"

#include <algorithm>

#include "base/text.h"

namespace tidegate::routing {
namespace {

constexpr std::string_view kAny = "*";

struct Origin {
  std::string_view scheme, host, port;  // port: the scheme's where none is written
};

Origin parse(std::string_view text) {
  Origin out;
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return out;
  out.scheme = text.substr(0, colon);
  out.host = text.substr(colon + 3);
  // Behind an IPv6 address's bracket, if there is one.
  const auto bracket = out.host.find(']');
  const auto port = out.host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (port == std::string_view::npos) {
    if (text::iequals(out.scheme, "http")) out.port = "80";
    if (text::iequals(out.scheme, "https")) out.port = "443";
    return out;
  }
  out.port = out.host.substr(port + 1);
  out.host = out.host.substr(0, port);
  return out;
}

bool host_matches(std::string_view allowed, std::string_view host) {
  if (!allowed.starts_with(kAny)) return text::iequals(allowed, host);
  allowed.remove_prefix(1);
  return host.size() > allowed.size() && text::iequals(allowed, host.substr(host.size() - allowed.size()));
}

bool contains(const std::vector<std::string>& list, std::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& one : list) out.append(out.empty() ? "" : ", ").append(one);
  return out;
}

// What Access-Control-Allow-Origin says; empty: the origin is not allowed. "*" means what it says only where
// no credentials are allowed.
std::string allowed_origin(const Cors& cors, std::string_view origin) {
  if (!cors.allow_credentials && contains(cors.allow_origins, kAny)) return std::string(kAny);
  const bool allowed = std::any_of(cors.allow_origins.begin(), cors.allow_origins.end(),
                                   [origin](const auto& one) { return origin_matches(one, origin); });
  return allowed ? std::string(origin) : std::string();
}

// A list that allows all names what was asked for where credentials are allowed: "*" would be a name then.
std::string allowed_names(const Cors& cors, const std::vector<std::string>& list, std::string_view asked) {
  if (!contains(list, kAny)) return joined(list);
  return std::string(cors.allow_credentials ? asked : kAny);
}

}  // namespace

bool origin_matches(std::string_view allowed, std::string_view origin) {
  if (allowed == kAny) return true;
  const Origin a = parse(allowed), b = parse(origin);
  return !b.scheme.empty() && text::iequals(a.scheme, b.scheme) && a.port == b.port &&
         host_matches(a.host, b.host);
}

bool is_preflight(const http::RequestHead& request) {
  return request.method == "OPTIONS" && request.headers.has("origin") &&
         request.headers.has("access-control-request-method");
}

std::vector<HeaderChange> answer_preflight(const Cors& cors, const http::RequestHead& request) {
  std::vector<HeaderChange> out;
  const auto add = [&](const char* name, std::string value) {
    if (!value.empty()) out.push_back({name, std::move(value)});
  };
  const std::string origin = allowed_origin(cors, request.headers.get("origin").value_or(""));
  if (origin.empty()) return out;
  add("access-control-allow-origin", origin);
  if (cors.allow_credentials) add("access-control-allow-credentials", "true");
  const auto method = request.headers.get("access-control-request-method");
  const auto headers = request.headers.get("access-control-request-headers");
  if (method) add("access-control-allow-methods", allowed_names(cors, cors.allow_methods, *method));
  if (headers) add("access-control-allow-headers", allowed_names(cors, cors.allow_headers, *headers));
  add("access-control-expose-headers", joined(cors.expose_headers));
  add("access-control-max-age", std::to_string(cors.max_age));
  if (origin != kAny) add("vary", "Origin");
  return out;
}

void apply_cors(const Cors& cors, std::string_view origin, http::Headers& response) {
  // Caches must keep answers to different origins apart, also those to none.
  const bool same_for_all = !cors.allow_credentials && contains(cors.allow_origins, kAny);
  if (!same_for_all && !response.has_token("vary", "Origin")) response.add("vary", "Origin");
  if (origin.empty()) return;
  for (const std::string_view name :
       {"access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers"})
    response.remove(name);
  const std::string allowed = allowed_origin(cors, origin);
  if (allowed.empty()) return;
  response.add("access-control-allow-origin", allowed);
  if (cors.allow_credentials) response.add("access-control-allow-credentials", "true");
  if (!cors.expose_headers.empty())
    response.add("access-control-expose-headers", joined(cors.expose_headers));
}

}  // namespace tidegate::routing
