// SPDX-License-Identifier: Apache-2.0
#include "gateway/filters.h"

#include <algorithm>
#include <array>

namespace tidegate::gateway {
namespace {

routing::HeaderModifier header_modifier(const api::HeaderFilter& from, bool response) {
  routing::HeaderModifier out;
  out.response = response;
  for (const auto& header : from.set) out.set.push_back({header.name, header.value});
  for (const auto& header : from.add) out.add.push_back({header.name, header.value});
  out.remove = from.remove;
  return out;
}

// One list of filters; knows where it stands.
class FilterList {
 public:
  FilterList(RouteNode& route, Backends& backends, FilterPlace place, bool prefix_only)
      : route_(route), backends_(backends), place_(place), prefix_only_(prefix_only) {}

  void add(const api::RouteFilter& filter, const std::string& field) {
    const bool http_only =
        filter.type == "RequestRedirect" || filter.type == "URLRewrite" || filter.type == "CORS";
    if (route_.is_grpc() && http_only) {
      refuse(Reason::kUnsupportedValue, field + ".type",
             shown(filter.type) +
                 " is no filter of a GRPCRoute: expected RequestHeaderModifier, "
                 "ResponseHeaderModifier or RequestMirror");
    } else if (filter.type == "RequestHeaderModifier") {
      out_.emplace_back(header_modifier(filter.headers, false));
    } else if (filter.type == "ResponseHeaderModifier") {
      out_.emplace_back(header_modifier(filter.headers, true));
    } else if (filter.type == "RequestRedirect") {
      add_redirect(filter.redirect, field + ".requestRedirect");
    } else if (filter.type == "URLRewrite") {
      out_.emplace_back(routing::UrlRewrite{filter.rewrite.hostname,
                                            path_rewrite(filter.rewrite.path, field + ".urlRewrite.path")});
    } else if (filter.type == "RequestMirror") {
      add_mirror(filter.mirror, field);
    } else if (filter.type == "CORS") {
      add_cors(filter.cors, field + ".cors");
    } else if (filter.type == "ExtensionRef") {
      add_extension(filter.extension, field + ".extensionRef");
    } else {
      refuse(
          Reason::kUnsupportedValue, field + ".type",
          shown(filter.type) +
              " is not supported: expected RequestHeaderModifier, ResponseHeaderModifier, RequestRedirect, "
              "URLRewrite, RequestMirror or CORS");
    }
  }

  void check_together(const std::string& field) {
    const auto has = [&](std::size_t type) {
      return std::any_of(out_.begin(), out_.end(), [&](const auto& f) { return f.index() == type; });
    };
    if (has(routing::Filter(routing::Redirect{}).index()) &&
        has(routing::Filter(routing::UrlRewrite{}).index())) {
      refuse(Reason::kIncompatibleFilters, field,
             "RequestRedirect and URLRewrite exclude each other: expected one");
    }
  }

  std::vector<routing::Filter> take() && { return std::move(out_); }

 private:
  void refuse(Reason reason, const std::string& field, std::string detail) {
    route_.valid = false;
    route_.problems.push_back({route_.kind(), route_.key(), "", field, reason, std::move(detail)});
  }

  routing::PathRewrite path_rewrite(const std::optional<api::PathModifier>& path, const std::string& field) {
    using Kind = routing::PathRewrite::Kind;
    if (!path) return {};
    if (path->type == "ReplaceFullPath") return {Kind::kFull, path->value};
    if (path->type != "ReplacePrefixMatch") {
      refuse(Reason::kUnsupportedValue, field + ".type",
             shown(path->type) + " is not known: expected ReplaceFullPath or ReplacePrefixMatch");
    } else if (!prefix_only_) {
      refuse(Reason::kUnsupportedValue, field + ".type",
             "ReplacePrefixMatch needs a matched prefix: expected every match of the rule to be of type "
             "PathPrefix");
    }
    return {Kind::kPrefix, path->value};
  }

  void add_redirect(const api::RedirectFilter& from, const std::string& field) {
    static constexpr std::array kStatuses{301, 302, 303, 307, 308};
    if (!from.scheme.empty() && from.scheme != "http" && from.scheme != "https") {
      refuse(Reason::kUnsupportedValue, field + ".scheme",
             shown(from.scheme) + " is not supported: expected http or https");
    }
    if (std::find(kStatuses.begin(), kStatuses.end(), from.status_code) == kStatuses.end()) {
      refuse(Reason::kUnsupportedValue, field + ".statusCode",
             std::to_string(from.status_code) + " is not supported: expected 301, 302, 303, 307 or 308");
    }
    out_.emplace_back(routing::Redirect{from.scheme, from.hostname, path_rewrite(from.path, field + ".path"),
                                        static_cast<std::uint16_t>(std::clamp(from.port, 0, 65535)),
                                        from.status_code});
  }

  void add_mirror(const api::MirrorFilter& from, const std::string& field) {
    if (place_ == FilterPlace::kBackend) {
      return refuse(
          Reason::kUnsupportedValue, field + ".type",
          "RequestMirror is not supported inside a backendRef: expected it among the rule's filters");
    }
    routing::Mirror mirror;
    if (from.percent) mirror.numerator = static_cast<std::uint32_t>(std::clamp(*from.percent, 0, 100));
    if (from.numerator) {
      mirror.denominator = static_cast<std::uint32_t>(std::max(1, from.denominator));
      mirror.numerator =
          std::min(static_cast<std::uint32_t>(std::max(0, *from.numerator)), mirror.denominator);
    }
    const auto resolved = backends_.resolve(route_, from.backend, field + ".requestMirror.backendRef",
                                            "Requests are served, but not mirrored.");
    if (!resolved.invalid.empty()) return;  // a copy that can't be sent costs the request nothing
    mirror.backend = resolved.index;
    out_.emplace_back(mirror);
  }

  void add_cors(const api::CorsFilter& from, const std::string& field) {
    for (std::size_t i = 0; i < from.allow_origins.size(); ++i) {
      const std::string& origin = from.allow_origins[i];
      const auto host = origin.find("://");
      const bool fits = host != std::string::npos && host > 0 && host + 3 < origin.size() &&
                        origin.find('/', host + 3) == std::string::npos;
      if (origin == "*" || fits) continue;
      refuse(Reason::kUnsupportedValue, indexed(field + ".allowOrigins", i),
             shown(origin) + " is no origin: expected *, or scheme://host with an optional :port");
    }
    out_.emplace_back(routing::Cors{from.allow_origins, from.allow_methods, from.allow_headers,
                                    from.expose_headers, from.allow_credentials, from.max_age});
  }

  // The specification: a filter that can't be resolved must not be skipped; its requests get an error.
  void add_extension(const api::ObjectReference& to, const std::string& field) {
    std::string detail = shown(to.group + "/" + to.kind) + " " + shown(to.name) +
                         " is no filter that we know: expected none of type ExtensionRef";
    route_.problems.push_back({route_.kind(), route_.key(), "", field, Reason::kInvalidKind, detail,
                               "Requests that it would see are answered with 500."});
    out_.emplace_back(routing::DirectResponse{500, std::move(detail)});
  }

  RouteNode& route_;
  Backends& backends_;
  FilterPlace place_;
  bool prefix_only_;
  std::vector<routing::Filter> out_;
};

}  // namespace

std::vector<routing::Filter> translate_filters(RouteNode& route, Backends& backends,
                                               const std::vector<api::RouteFilter>& filters,
                                               const std::string& field, FilterPlace place,
                                               bool prefix_only) {
  FilterList list(route, backends, place, prefix_only);
  for (std::size_t i = 0; i < filters.size(); ++i) list.add(filters[i], indexed(field, i));
  list.check_together(field);
  return std::move(list).take();
}

}  // namespace tidegate::gateway
