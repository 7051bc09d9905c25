// SPDX-License-Identifier: Apache-2.0
#include "routing/filters.h"

#include "routing/cors.h"

namespace tidegate::routing {
namespace {

void modify(const HeaderModifier& modifier, http::Headers& headers) {
  for (const HeaderChange& change : modifier.set) headers.set(change.name, change.value);
  for (const HeaderChange& change : modifier.add) headers.add(change.name, change.value);
  for (const std::string& name : modifier.remove) headers.remove(name);
}

// Host is no field of the head's list (http/message.h): a modifier that names it changes the authority.
void modify_request(const HeaderModifier& modifier, http::RequestHead& request) {
  modify(modifier, request.headers);
  if (const auto host = request.headers.get("host")) {
    request.authority = std::string(*host);
    request.headers.remove("host");
  }
}

std::string with_query(std::string path, std::string_view query) {
  if (!query.empty()) path.append("?").append(query);
  return path;
}

void rewrite(const UrlRewrite& filter, std::string_view prefix, http::RequestHead& request) {
  if (!filter.hostname.empty()) request.authority = filter.hostname;
  if (filter.path.kind == PathRewrite::Kind::kNone) return;
  request.target = with_query(rewrite_path(filter.path, request.path(), prefix), request.query());
}

// The filter's port; else the scheme's, where the filter names a scheme; else the listener's. Not written
// where the scheme implies it.
std::string redirect_port(const Redirect& filter, std::string_view scheme, std::uint16_t listener_port) {
  const std::uint16_t of_scheme = scheme == "https" ? 443 : 80;
  std::uint16_t port = filter.port;
  if (port == 0) port = filter.scheme.empty() ? listener_port : of_scheme;
  return port == of_scheme ? std::string() : ":" + std::to_string(port);
}

Answer redirect(const Redirect& filter, const FilterContext& context, const http::RequestHead& request) {
  const std::string scheme = filter.scheme.empty() ? request.scheme : filter.scheme;
  std::string location = scheme + "://";
  location += filter.hostname.empty() ? request.host() : std::string_view(filter.hostname);
  location += redirect_port(filter, scheme, context.listener_port);
  location += with_query(rewrite_path(filter.path, request.path(), context.matched_prefix), request.query());
  return {filter.status, std::move(location), {}, std::nullopt};
}

struct RequestFilter {
  const FilterContext& context;
  http::RequestHead& request;

  std::optional<Answer> operator()(const HeaderModifier& filter) const {
    if (!filter.response) modify_request(filter, request);
    return std::nullopt;
  }
  std::optional<Answer> operator()(const Redirect& filter) const {
    return redirect(filter, context, request);
  }
  std::optional<Answer> operator()(const UrlRewrite& filter) const {
    rewrite(filter, context.matched_prefix, request);
    return std::nullopt;
  }
  std::optional<Answer> operator()(const Mirror&) const { return std::nullopt; }
  std::optional<Answer> operator()(const DirectResponse& filter) const {
    return Answer{filter.status, {}, filter.reason, std::nullopt};
  }
  std::optional<Answer> operator()(const Cors&) const { return std::nullopt; }
};

std::optional<Answer> preflight_answer(std::span<const Filter> filters, const http::RequestHead& request) {
  if (!is_preflight(request)) return std::nullopt;
  for (const Filter& filter : filters) {
    const auto* cors = std::get_if<Cors>(&filter);
    if (cors != nullptr) return Answer{204, {}, {}, answer_preflight(*cors, request)};
  }
  return std::nullopt;
}

}  // namespace

std::string rewrite_path(const PathRewrite& rewrite, std::string_view path, std::string_view prefix) {
  switch (rewrite.kind) {
    case PathRewrite::Kind::kNone:
      return std::string(path);
    case PathRewrite::Kind::kFull:
      return rewrite.value.starts_with('/') ? rewrite.value : "/" + rewrite.value;
    case PathRewrite::Kind::kPrefix:
      break;
  }
  std::string_view rest =
      path.substr(prefix == "/" ? 0 : std::min(prefix.size(), path.size()));  // empty, or from its slash on
  std::string_view head = rewrite.value;
  while (head.ends_with('/')) head.remove_suffix(1);
  std::string out(head);
  out += rest;
  return out.starts_with('/') ? out : "/" + out;
}

std::optional<Answer> apply_request_filters(std::span<const Filter> filters, const FilterContext& context,
                                            http::RequestHead& request) {
  if (auto answer = preflight_answer(filters, request)) return answer;
  for (const Filter& filter : filters) {
    if (auto answer = std::visit(RequestFilter{context, request}, filter)) return answer;
  }
  return std::nullopt;
}

void apply_response_filters(std::span<const Filter> filters, http::Headers& headers,
                            std::string_view origin) {
  for (const Filter& filter : filters) {
    const auto* modifier = std::get_if<HeaderModifier>(&filter);
    if (modifier != nullptr && modifier->response) modify(*modifier, headers);
    if (const auto* cors = std::get_if<Cors>(&filter)) apply_cors(*cors, origin, headers);
  }
}

std::vector<std::uint32_t> select_mirrors(const CompiledRule& rule) {
  std::vector<std::uint32_t> selected;
  for (const CompiledMirror& mirror : rule.mirrors) {
    if (in_fraction(mirror.sequence->next(), mirror.numerator, mirror.denominator))
      selected.push_back(mirror.backend);
  }
  return selected;
}

}  // namespace tidegate::routing
