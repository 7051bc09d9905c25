// SPDX-License-Identifier: Apache-2.0
#include "gateway/rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "base/token.h"
#include "gateway/filters.h"
#include "routing/limits.h"

namespace tidegate::gateway {
namespace {

// GEP-2257: Go's form, up to four numbers of at most five digits, units h m s ms, no fractions.
std::optional<Duration> parse_gep2257(std::string_view text) {
  std::size_t at = 0;
  int parts = 0;
  const auto is_digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  for (; at < text.size(); ++parts) {
    const std::size_t start = at;
    while (is_digit()) ++at;
    if (at == start || at - start > 5) return std::nullopt;
    const auto unit = text.substr(at);
    if (unit.starts_with("ms")) {
      at += 2;
    } else if (unit.starts_with("h") || unit.starts_with("m") || unit.starts_with("s")) {
      at += 1;
    } else {
      return std::nullopt;
    }
  }
  if (parts < 1 || parts > 4) return std::nullopt;
  const auto duration = text::parse_duration(text);
  return duration ? std::optional(*duration) : std::nullopt;
}

// One rule of one route; `field` is its path.
class RuleTranslation {
 public:
  RuleTranslation(RouteNode& route, Backends& backends, const api::RouteRule& from, std::size_t index)
      : route_(route),
        backends_(backends),
        from_(from),
        index_(index),
        field_(indexed("spec.rules", index)) {}

  // Of layer 4.
  routing::Rule run_tunnel() {
    routing::Rule rule = named();
    add_backends(rule, false,
                 route_.is_udp() ? "Its share of the clients gets no answer."
                                 : "Its share of the connections is closed.");
    rule.sticky.reset();
    return rule;
  }

  routing::Rule run() {
    routing::Rule rule = named();
    for (std::size_t i = 0; i < from_.matches.size(); ++i)
      rule.matches.push_back(match(from_.matches[i], indexed(field_ + ".matches", i)));
    const bool prefix_only = std::all_of(from_.matches.begin(), from_.matches.end(),
                                         [](const auto& m) { return m.path_type == "PathPrefix"; });
    rule.filters = translate_filters(route_, backends_, from_.filters, field_ + ".filters",
                                     FilterPlace::kRule, prefix_only);
    add_backends(rule, prefix_only);
    if (!is_split(rule)) rule.sticky.reset();
    answer_without_backend(rule);
    rule.request_timeout = duration(from_.request_timeout, ".timeouts.request");
    rule.backend_request_timeout = duration(from_.backend_request_timeout, ".timeouts.backendRequest");
    check_timeouts(rule);
    if (from_.retry) rule.retry = retry(*from_.retry);
    if (from_.session) rule.session = session(*from_.session);
    return rule;
  }

 private:
  routing::Rule named() const {
    routing::Rule rule;
    rule.route = {route_.kind(), route_.route->meta.ns, route_.route->meta.name,
                  route_.route->meta.generation};
    rule.name = from_.name.empty() ? std::to_string(index_) : from_.name;
    return rule;
  }

  void refuse(const std::string& field, std::string detail) {
    route_.valid = false;
    route_.problems.push_back(
        {route_.kind(), route_.key(), "", field, Reason::kUnsupportedValue, std::move(detail)});
  }
  void ignore(std::string_view part, std::string detail) {
    route_.problems.push_back({route_.kind(), route_.key(), "", field_ + std::string(part),
                               Reason::kIgnoredField, std::move(detail)});
  }

  void check_regex(const std::string& pattern, const std::string& field) {
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(routing::kRegexMemoryBytes);
    const RE2 regex(pattern, options);
    if (pattern.size() > routing::kRegexBytes || !regex.ok())
      refuse(field, shown(pattern) + " is not a regular expression that RE2 takes: " + regex.error());
  }

  // A method is a path: /package.Service/Method.
  routing::PathMatch method_match(const api::GrpcMethodMatch& from, const std::string& field) {
    using Kind = routing::PathMatch::Kind;
    const bool regex = from.type == "RegularExpression";
    if (!regex && from.type != "Exact") {
      refuse(field + ".type", shown(from.type) + " is not known: expected Exact or RegularExpression");
    }
    const auto part = [&](const std::string& value, const char* name) -> std::string {
      if (value.empty()) return "[^/]+";
      if (regex) check_regex(value, field + name);
      if (!regex && value.find('/') != std::string::npos)
        refuse(field + name, shown(value) + " holds a slash: expected a name");
      return regex ? "(?:" + value + ")" : RE2::QuoteMeta(value);
    };
    const std::string service = part(from.service, ".service"), method = part(from.method, ".method");
    if (from.service.empty() && from.method.empty()) return {Kind::kPrefix, "/"};
    if (regex || from.service.empty()) return {Kind::kRegex, "/" + service + "/" + method};
    if (from.method.empty()) return {Kind::kPrefix, "/" + from.service};
    return {Kind::kExact, "/" + from.service + "/" + from.method};
  }

  routing::PathMatch path_match(const api::RouteMatch& from, const std::string& field) {
    using Kind = routing::PathMatch::Kind;
    if (from.path_type == "RegularExpression") {
      check_regex(from.path, field + ".path.value");
      return {Kind::kRegex, from.path};
    }
    if (!from.path.starts_with('/'))
      refuse(field + ".path.value",
             shown(from.path) + " is not absolute: expected a path that begins with /");
    if (from.path_type == "Exact") return {Kind::kExact, from.path};
    if (from.path_type != "PathPrefix") {
      refuse(field + ".path.type",
             shown(from.path_type) + " is not known: expected Exact, PathPrefix or RegularExpression");
    }
    std::string prefix = from.path;
    while (prefix.size() > 1 && prefix.back() == '/') prefix.pop_back();
    return {Kind::kPrefix, std::move(prefix)};
  }

  // Of entries with an equivalent name only the first counts, says the specification.
  std::vector<routing::ValueMatch> values(const std::vector<api::RouteValueMatch>& from,
                                          const std::string& field, bool ignore_case) {
    std::vector<routing::ValueMatch> out;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto& value = from[i];
      const bool known = std::any_of(out.begin(), out.end(), [&](const auto& seen) {
        return ignore_case ? text::iequals(seen.name, value.name) : seen.name == value.name;
      });
      if (known) continue;
      const bool regex = value.type == "RegularExpression";
      if (regex) check_regex(value.value, indexed(field, i) + ".value");
      if (!regex && value.type != "Exact")
        refuse(indexed(field, i) + ".type",
               shown(value.type) + " is not known: expected Exact or RegularExpression");
      out.push_back({value.name, value.value, regex});
    }
    return out;
  }

  routing::Match match(const api::RouteMatch& from, const std::string& field) {
    return {from.grpc ? method_match(*from.grpc, field + ".method") : path_match(from, field), from.method,
            values(from.headers, field + ".headers", true),
            values(from.query, field + ".queryParams", false)};
  }

  // `effect` as of Backends::resolve().
  void add_backends(routing::Rule& rule, bool prefix_only, std::string_view effect = {}) {
    for (std::size_t i = 0; i < from_.backends.size(); ++i) {
      const auto& from = from_.backends[i];
      const std::string field = indexed(field_ + ".backendRefs", i);
      auto resolved = backends_.resolve(route_, from.backend, field, effect);
      routing::WeightedBackend choice;
      choice.backend = resolved.index;
      choice.weight = static_cast<std::uint32_t>(std::clamp(from.weight, 0, 1'000'000));
      choice.filters = translate_filters(route_, backends_, from.filters, field + ".filters",
                                         FilterPlace::kBackend, prefix_only);
      choice.invalid = std::move(resolved.invalid);
      if (resolved.service && choice.weight > 0 && !rule.sticky) rule.sticky = sticky(*resolved.service);
      rule.backends.push_back(std::move(choice));
    }
  }

  static bool is_split(const routing::Rule& rule) {
    return std::count_if(rule.backends.begin(), rule.backends.end(),
                         [](const auto& b) { return b.weight > 0; }) > 1;
  }

  static std::optional<routing::StickySplit> sticky(const api::Service& service) {
    const auto found = service.meta.annotations.find(api::kStickySplitAnnotation);
    if (found == service.meta.annotations.end()) return std::nullopt;
    const auto slash = found->second.find('/');
    const std::string cookie = found->second.substr(0, slash);
    if (!text::is_token(cookie)) return std::nullopt;
    return routing::StickySplit{cookie, slash == std::string::npos ? "" : found->second.substr(slash + 1)};
  }

  // A rule that can send nowhere answers 500. Weights of 0 keep their backends in the table, ready to be
  // raised.
  static void answer_without_backend(routing::Rule& rule) {
    const bool weighted =
        std::any_of(rule.backends.begin(), rule.backends.end(), [](const auto& b) { return b.weight > 0; });
    const bool answers = std::any_of(rule.filters.begin(), rule.filters.end(), [](const auto& f) {
      return std::holds_alternative<routing::Redirect>(f) ||
             std::holds_alternative<routing::DirectResponse>(f);
    });
    if (weighted || answers) return;
    rule.filters.emplace_back(routing::DirectResponse{
        500, rule.backends.empty() ? "no backendRefs" : "all backendRefs have weight 0"});
  }

  routing::Retry retry(const api::RouteRetry& from) {
    routing::Retry out;
    for (std::size_t i = 0; i < from.codes.size(); ++i) {
      if (from.codes[i] < 400 || from.codes[i] > 599) {
        refuse(indexed(field_ + ".retry.codes", i),
               std::to_string(from.codes[i]) + " is no code of an error: expected 400 to 599");
      }
      out.codes.push_back(from.codes[i]);
    }
    if (!from.backoff.empty()) out.backoff = duration(from.backoff, ".retry.backoff");
    if (!from.attempts) return out;
    out.attempts = std::clamp(*from.attempts, 1, routing::kMaxRetryAttempts);
    if (*from.attempts == out.attempts) return out;
    route_.problems.push_back({route_.kind(), route_.key(), "", field_ + ".retry.attempts",
                               Reason::kIgnoredField,
                               std::to_string(*from.attempts) + " is not supported: expected 1 to " +
                                   std::to_string(routing::kMaxRetryAttempts),
                               "The nearest of these is used."});
    return out;
  }

  std::optional<routing::SessionPersistence> session(const api::RouteSession& from) {
    const std::string field = ".sessionPersistence";
    if (from.type != "Cookie") {
      ignore(field + ".type", shown(from.type) + " is not supported: expected Cookie");
      return std::nullopt;
    }
    routing::SessionPersistence out;
    out.cookie = from.name.empty() ? "tidegate-" + session_name() : from.name;
    if (!text::is_token(out.cookie))
      refuse(field_ + field + ".sessionName", shown(from.name) + " is no name of a cookie: expected a token");
    out.permanent = from.lifetime == "Permanent";
    out.absolute_timeout = duration(from.absolute_timeout, field + ".absoluteTimeout");
    out.idle_timeout = duration(from.idle_timeout, field + ".idleTimeout");
    if (out.permanent && out.absolute_timeout.count() == 0)
      refuse(field_ + field + ".absoluteTimeout", "a Permanent cookie needs one: expected a duration");
    return out;
  }

  // Of its own for each rule, and the same after a restart.
  std::string session_name() const {
    const auto& meta = route_.route->meta;
    const std::string of =
        meta.ns + "/" + meta.name + "/" + (from_.name.empty() ? std::to_string(index_) : from_.name);
    std::array<char, 16> out;
    return {out.data(), std::to_chars(out.data(), out.data() + out.size(), text::fnv1a(of), 16).ptr};
  }

  Duration duration(const std::string& value, std::string_view part) {
    if (value.empty()) return Duration(0);
    if (const auto duration = parse_gep2257(value)) return *duration;
    refuse(field_ + std::string(part),
           shown(value) + " is not a duration: expected one like 500ms, 10s or 1h30m");
    return Duration(0);
  }

  void check_timeouts(const routing::Rule& rule) {
    if (rule.request_timeout.count() == 0 || rule.backend_request_timeout <= rule.request_timeout) return;
    refuse(field_ + ".timeouts.backendRequest",
           shown(from_.backend_request_timeout) +
               " is longer than the whole request may take: expected at most " +
               shown(from_.request_timeout));
  }

  RouteNode& route_;
  Backends& backends_;
  const api::RouteRule& from_;
  std::size_t index_;
  std::string field_;
};

}  // namespace

void translate_rules(RouteNode& route, Backends& backends) {
  const auto& rules = route.route->rules;
  if (route.is_tunnel()) {  // they match nothing, so that the first one takes all
    route.rules.push_back(RuleTranslation(route, backends, rules.front(), 0).run_tunnel());
    if (rules.size() > 1) {
      route.problems.push_back({route.kind(), route.key(), "", "spec.rules[1]", Reason::kIgnoredField,
                                "only the first rule of a " + route.kind() + " is served"});
    }
    return;
  }
  for (std::size_t i = 0; i < rules.size(); ++i)
    route.rules.push_back(RuleTranslation(route, backends, rules[i], i).run());
}

}  // namespace tidegate::gateway
