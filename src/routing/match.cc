// SPDX-License-Identifier: Apache-2.0
#include "routing/match.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/text.h"
#include "http/uri.h"
#include "routing/precedence.h"

namespace tidegate::routing {
namespace {

// Calls `visit` with what the map holds for the host, most specific pattern first, until it returns true. A
// wildcard stands for any number of labels, never for none.
template <typename T, typename Visit>
void visit_by_host(const HostMap<T>& map, std::string_view host, Visit visit) {
  if (const auto found = map.exact.find(host); found != map.exact.end() && visit(found->second)) return;
  if (!map.wildcard.empty()) {
    for (auto dot = host.find('.', 1); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
      const auto found = map.wildcard.find(host.substr(dot));
      if (found != map.wildcard.end() && visit(found->second)) return;
    }
  }
  if (map.any) visit(*map.any);
}

bool value_holds(const CompiledValue& condition, std::string_view value) {
  if (condition.regex)
    return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *condition.regex);
  return value == condition.value;
}

// Several fields of one name count as one list (RFC 9110 section 5.3).
bool header_holds(const CompiledValue& condition, const http::Headers& headers) {
  const std::size_t count = headers.count(condition.name);
  if (count == 0) return false;
  if (count == 1) return value_holds(condition, *headers.get(condition.name));
  std::string joined;
  for (const http::Field& field : headers) {
    if (!text::iequals(field.name, condition.name)) continue;
    if (!joined.empty()) joined += ", ";
    joined += field.value;
  }
  return value_holds(condition, joined);
}

// Parsed when a rule first asks for it.
class Query {
 public:
  explicit Query(const http::RequestHead& request) : request_(request) {}
  bool holds(const CompiledValue& condition) {
    if (!values_) values_ = http::parse_query(request_.query());
    for (const auto& [name, value] : *values_) {
      if (name == condition.name)
        return value_holds(condition, value);  // of repeated parameters the first one counts
    }
    return false;
  }

 private:
  const http::RequestHead& request_;
  std::optional<std::vector<std::pair<std::string, std::string>>> values_;
};

bool conditions_hold(const CompiledMatch& match, const http::RequestHead& request, Query& query) {
  if (!match.match->method.empty() && match.match->method != request.method) return false;
  for (const CompiledValue& condition : match.headers) {
    if (!header_holds(condition, request.headers)) return false;
  }
  for (const CompiledValue& condition : match.query) {
    if (!query.holds(condition)) return false;
  }
  return true;
}

const CompiledMatch* first_of(const std::vector<CompiledMatch>& list, const http::RequestHead& request,
                              Query& query) {
  for (const CompiledMatch& match : list) {
    if (conditions_hold(match, request, query)) return &match;
  }
  return nullptr;
}

// `vague`: those that go behind prefixes; they are the last ones of the list.
const CompiledMatch* best_regex(const HostRules& rules, bool vague, std::string_view path,
                                const http::RequestHead& request, Query& query) {
  const re2::StringPiece piece(path.data(), path.size());
  for (const CompiledMatch& match : rules.regex) {
    if (says_nothing_of_first_element(match.match->path) != vague) continue;
    if (conditions_hold(match, request, query) && re2::RE2::FullMatch(piece, *match.path_regex))
      return &match;
  }
  return nullptr;
}

// From the whole path upwards, an element at a time; not yet "/", but for itself.
const CompiledMatch* best_prefix(const HostRules& rules, std::string_view path,
                                 const http::RequestHead& request, Query& query) {
  std::string_view rest = path;
  while (!rest.empty()) {
    if (rest.size() <= rules.longest_prefix) {
      const auto found = rules.prefix.find(rest);
      if (found != rules.prefix.end()) {
        if (const auto* match = first_of(found->second, request, query)) return match;
      }
    }
    const auto slash = rest.rfind('/');
    if (slash == std::string_view::npos) break;
    rest = rest.substr(0, slash);
  }
  return nullptr;
}

const CompiledMatch* root_prefix(const HostRules& rules, std::string_view path,
                                 const http::RequestHead& request, Query& query) {
  const auto root =
      path.starts_with('/') && path != "/" ? rules.prefix.find(std::string_view("/")) : rules.prefix.end();
  return root == rules.prefix.end() ? nullptr : first_of(root->second, request, query);
}

const CompiledMatch* best_of(const HostRules& rules, const http::RequestHead& request, Query& query) {
  const std::string_view path = request.path();
  if (!rules.exact.empty()) {
    const auto found = rules.exact.find(path);
    const auto* match = found != rules.exact.end() ? first_of(found->second, request, query) : nullptr;
    if (match != nullptr) return match;
  }
  if (const auto* match = best_regex(rules, false, path, request, query)) return match;
  if (const auto* match = best_prefix(rules, path, request, query)) return match;
  if (const auto* match = best_regex(rules, true, path, request, query)) return match;
  return root_prefix(rules, path, request, query);
}

}  // namespace

bool path_has_prefix(std::string_view path, std::string_view prefix) {
  if (prefix == "/") return path.starts_with('/');
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

const CompiledListener* find_listener(const CompiledPort& port, std::string_view host) {
  const CompiledListener* listener = nullptr;
  visit_by_host(port.by_host, host,
                [&](const CompiledListener* found) { return (listener = found) != nullptr; });
  return listener;
}

const CompiledRule* match_tunnel(const CompiledListener& listener, std::string_view server_name) {
  const CompiledRule* rule = nullptr;
  visit_by_host(listener.tunnels, server_name,
                [&](const CompiledRule* found) { return (rule = found) != nullptr; });
  return rule;
}

Matched match(const CompiledPort& port, const http::RequestHead& request) {
  std::string lowered;
  std::string_view host = request.host();
  if (std::any_of(host.begin(), host.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    host = lowered = text::lower(host);
  Matched matched;
  matched.listener = find_listener(port, host);
  if (matched.listener == nullptr) return matched;
  Query query(request);
  visit_by_host(*matched.listener->hosts, host, [&](const std::shared_ptr<const HostRules>& rules) {
    return (matched.match = best_of(*rules, request, query)) != nullptr;
  });
  return matched;
}

}  // namespace tidegate::routing
