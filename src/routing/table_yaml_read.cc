// SPDX-License-Identifier: Apache-2.0
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/yaml.h"
#include "routing/limits.h"
#include "routing/table_yaml.h"

namespace tidegate::routing {
namespace {

// Reads with the first problem kept: after it, every look-up gives a default and the table is dropped.
class Reader {
 public:
  Result<Table> run(const Json& document) {
    Table table;
    const Node root{&document, ""};
    known(root, {"generation", "listeners", "backends"});
    table.generation = static_cast<std::uint64_t>(
        integer(root, "generation", 0, 0, std::numeric_limits<std::int64_t>::max()));
    // First: the rules refer to them.
    table.backends = to_shared(list<Backend>(root, "backends", &Reader::backend));
    backends_ = &table.backends;
    table.listeners = list<Listener>(root, "listeners", &Reader::listener);
    if (!problem_.empty()) return Error{ErrorCode::kInvalid, "routing table: " + problem_};
    return table;
  }

 private:
  struct Node {
    const Json* value;
    std::string place;
  };

  void fail(const std::string& place, const std::string& what) {
    if (problem_.empty()) problem_ = (place.empty() ? "document" : place) + ": " + what;
  }

  bool known(const Node& node, std::initializer_list<std::string_view> keys) {
    if (!node.value->is_object()) return fail(node.place, "expected a mapping"), false;
    for (const auto& [key, _] : node.value->items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        fail(child_place(node, key), "unknown field");
    }
    return true;
  }

  static std::string child_place(const Node& node, std::string_view key) {
    return node.place.empty() ? std::string(key) : node.place + "." + std::string(key);
  }

  std::optional<Node> child(const Node& node, const char* key) {
    if (!node.value->is_object()) return std::nullopt;
    const auto found = node.value->find(key);
    if (found == node.value->end()) return std::nullopt;
    return Node{&*found, child_place(node, key)};
  }

  std::string text_of(const Node& node) {
    if (node.value->is_string()) return node.value->get<std::string>();
    fail(node.place, "expected a string, found " + json::dump(*node.value).substr(0, 40));
    return {};
  }

  std::string string(const Node& node, const char* key) {
    const auto found = child(node, key);
    return found ? text_of(*found) : std::string();
  }

  std::int64_t integer(const Node& node, const char* key, std::int64_t fallback, std::int64_t low,
                       std::int64_t high) {
    const auto found = child(node, key);
    if (!found) return fallback;
    if (found->value->is_number_integer()) {
      const auto value = found->value->get<std::int64_t>();
      if (value >= low && value <= high) return value;
    }
    fail(found->place, "expected an integer from " + std::to_string(low) + " to " + std::to_string(high));
    return fallback;
  }

  std::chrono::milliseconds duration(const Node& node, const char* key) {
    const auto found = child(node, key);
    if (!found) return {};
    const auto parsed = text::parse_duration(text_of(*found));
    if (!parsed) fail(found->place, parsed.error().detail);
    return parsed ? *parsed : std::chrono::milliseconds{};
  }

  template <typename T>
  std::vector<T> list(const Node& node, const char* key, T (Reader::*read)(const Node&)) {
    std::vector<T> out;
    const auto found = child(node, key);
    if (!found) return out;
    if (!found->value->is_array()) return fail(found->place, "expected a list"), out;
    for (std::size_t i = 0; i < found->value->size(); ++i) {
      out.push_back((this->*read)({&(*found->value)[i], found->place + "[" + std::to_string(i) + "]"}));
    }
    return out;
  }

  // "ns/name" and "ns/name:port"
  std::pair<std::string, std::string> namespaced(const std::string& place, std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos)
      return fail(place, "expected namespace/name, found \"" + std::string(text) + "\""),
             std::pair<std::string, std::string>{};
    return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
  }

  std::uint16_t port_of(const std::string& place, std::string& text) {
    const auto colon = text.rfind(':');
    const auto port =
        colon == std::string::npos ? std::nullopt : text::parse_int(std::string_view(text).substr(colon + 1));
    if (!port || *port < 0 || *port > 65535)
      return fail(place, "expected a port after ':', found \"" + text + "\""), 0;
    text.resize(colon);
    return static_cast<std::uint16_t>(*port);
  }

  Backend backend(const Node& node) {
    known(node, {"name", "protocol", "tls", "endpoints"});
    Backend out;
    std::string name = string(node, "name");
    out.port = port_of(child_place(node, "name"), name);
    std::tie(out.ns, out.name) = namespaced(child_place(node, "name"), name);
    out.protocol = string(node, "protocol");
    if (const auto tls = child(node, "tls")) out.tls = backend_tls(*tls);
    out.endpoints = list<Endpoint>(node, "endpoints", &Reader::endpoint);
    return out;
  }

  BackendTls backend_tls(const Node& node) {
    known(node, {"hostname", "dnsNames", "uris", "ca", "invalid", "identity"});
    BackendTls out{string(node, "hostname"), list<std::string>(node, "dnsNames", &Reader::plain),
                   list<std::string>(node, "uris", &Reader::plain), string(node, "ca"),
                   string(node, "invalid")};
    if (const auto identity = child(node, "identity")) {
      known(*identity, {"source", "certificate"});
      out.identity = {string(*identity, "source"), string(*identity, "certificate"), ""};
    }
    return out;
  }

  Endpoint endpoint(const Node& node) {
    Endpoint out;
    std::string text = text_of(node);
    if (text.ends_with(" draining")) {
      out.draining = true;
      text.resize(text.size() - std::string_view(" draining").size());
    }
    out.port = port_of(node.place, text);
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    out.ip = std::move(text);
    return out;
  }

  std::uint32_t reference(const Node& node) {
    const auto found = child(node, "backend");
    const std::string wanted = found ? text_of(*found) : std::string();
    if (wanted.starts_with('#')) {
      const auto index = text::parse_int(std::string_view(wanted).substr(1));
      if (index && *index >= 0 && *index <= std::numeric_limits<std::uint32_t>::max())
        return static_cast<std::uint32_t>(*index);
    }
    for (std::size_t i = 0; i < backends_->size(); ++i) {
      const Backend& b = (*backends_)[i];
      if (b.ns + "/" + b.name + ":" + std::to_string(b.port) == wanted) return static_cast<std::uint32_t>(i);
    }
    fail(child_place(node, "backend"), "\"" + wanted + "\" names no backend of this table");
    return 0;
  }

  ValueMatch value_match(const Node& node) {
    known(node, {"name", "value", "regex"});
    const bool regex = child(node, "regex").has_value();
    return {string(node, "name"), string(node, regex ? "regex" : "value"), regex};
  }

  Match match(const Node& node) {
    known(node, {"path", "method", "headers", "query"});
    Match out;
    if (const auto path = child(node, "path"); path && known(*path, {"exact", "prefix", "regex"})) {
      if (child(*path, "exact")) out.path = {PathMatch::Kind::kExact, string(*path, "exact")};
      if (child(*path, "prefix")) out.path = {PathMatch::Kind::kPrefix, string(*path, "prefix")};
      if (child(*path, "regex")) out.path = {PathMatch::Kind::kRegex, string(*path, "regex")};
    }
    out.method = string(node, "method");
    out.headers = list<ValueMatch>(node, "headers", &Reader::value_match);
    out.query = list<ValueMatch>(node, "query", &Reader::value_match);
    return out;
  }

  HeaderChange change(const Node& node) {
    known(node, {"name", "value"});
    return {string(node, "name"), string(node, "value")};
  }

  Filter header_modifier(const Node& node, bool response) {
    known(node, {"set", "add", "remove"});
    return HeaderModifier{response, list<HeaderChange>(node, "set", &Reader::change),
                          list<HeaderChange>(node, "add", &Reader::change),
                          list<std::string>(node, "remove", &Reader::plain)};
  }

  std::string plain(const Node& node) { return text_of(node); }

  PathRewrite path_rewrite(const Node& node) {
    if (child(node, "path")) return {PathRewrite::Kind::kFull, string(node, "path")};
    if (child(node, "prefix")) return {PathRewrite::Kind::kPrefix, string(node, "prefix")};
    return {};
  }

  int status(const Node& node, int fallback) {
    return static_cast<int>(integer(node, "status", fallback, 100, 599));
  }

  Filter redirect(const Node& node) {
    known(node, {"scheme", "hostname", "path", "prefix", "port", "status"});
    return Redirect{string(node, "scheme"), string(node, "hostname"), path_rewrite(node),
                    static_cast<std::uint16_t>(integer(node, "port", 0, 0, 65535)), status(node, 302)};
  }

  Filter mirror(const Node& node) {
    known(node, {"backend", "fraction"});
    Mirror out;
    out.backend = reference(node);
    if (const auto fraction = child(node, "fraction")) {
      const std::string text = text_of(*fraction);
      const auto parts = text::split(text, '/');
      const auto numerator = text::parse_int(parts.front()), denominator = text::parse_int(parts.back());
      const auto fits = [](auto n) {
        return n && *n >= 0 && *n <= std::numeric_limits<std::uint32_t>::max();
      };
      if (parts.size() != 2 || !fits(numerator) || !fits(denominator)) {
        fail(fraction->place, "expected numerator/denominator, found \"" + text + "\"");
      } else {
        out.numerator = static_cast<std::uint32_t>(*numerator);
        out.denominator = static_cast<std::uint32_t>(*denominator);
      }
    }
    return out;
  }

  Filter cors(const Node& node) {
    known(node,
          {"allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders", "allowCredentials", "maxAge"});
    Cors out{list<std::string>(node, "allowOrigins", &Reader::plain),
             list<std::string>(node, "allowMethods", &Reader::plain),
             list<std::string>(node, "allowHeaders", &Reader::plain),
             list<std::string>(node, "exposeHeaders", &Reader::plain)};
    out.allow_credentials = boolean(node, "allowCredentials");
    out.max_age =
        static_cast<int>(integer(node, "maxAge", out.max_age, 0, std::numeric_limits<std::int32_t>::max()));
    return out;
  }

  Filter filter(const Node& node) {
    known(node, {"requestHeaders", "responseHeaders", "redirect", "rewrite", "mirror", "respond", "cors"});
    if (const auto n = child(node, "requestHeaders")) return header_modifier(*n, false);
    if (const auto n = child(node, "responseHeaders")) return header_modifier(*n, true);
    if (const auto n = child(node, "redirect")) return redirect(*n);
    if (const auto n = child(node, "rewrite")) {
      known(*n, {"hostname", "path", "prefix"});
      return UrlRewrite{string(*n, "hostname"), path_rewrite(*n)};
    }
    if (const auto n = child(node, "mirror")) return mirror(*n);
    if (const auto n = child(node, "respond")) {
      known(*n, {"status", "reason"});
      return DirectResponse{status(*n, 500), string(*n, "reason")};
    }
    if (const auto n = child(node, "cors")) return cors(*n);
    fail(node.place, "names no filter");
    return DirectResponse{};
  }

  WeightedBackend choice(const Node& node) {
    known(node, {"backend", "weight", "invalid", "filters"});
    WeightedBackend out;
    out.backend = reference(node);
    out.weight =
        static_cast<std::uint32_t>(integer(node, "weight", 1, 0, std::numeric_limits<std::uint32_t>::max()));
    out.invalid = string(node, "invalid");
    out.filters = list<Filter>(node, "filters", &Reader::filter);
    return out;
  }

  int code(const Node& node) {
    const bool fits = node.value->is_number_integer() && *node.value >= 100 && *node.value <= 599;
    if (!fits) fail(node.place, "expected a status code");
    return fits ? node.value->get<int>() : 0;
  }

  Retry retry(const Node& node) {
    known(node, {"attempts", "backoff", "codes"});
    const auto attempts = static_cast<int>(integer(node, "attempts", Retry().attempts, 1, kMaxRetryAttempts));
    return {list<int>(node, "codes", &Reader::code), attempts, duration(node, "backoff")};
  }

  bool boolean(const Node& node, const char* key) {
    const auto found = child(node, key);
    if (!found) return false;
    if (!found->value->is_boolean()) fail(found->place, "expected true or false");
    return found->value->is_boolean() && found->value->get<bool>();
  }

  SessionPersistence session(const Node& node) {
    known(node, {"cookie", "permanent", "absoluteTimeout", "idleTimeout"});
    return {string(node, "cookie"), boolean(node, "permanent"), duration(node, "absoluteTimeout"),
            duration(node, "idleTimeout")};
  }

  StickySplit sticky(const Node& node) {
    known(node, {"cookie", "salt"});
    return {string(node, "cookie"), string(node, "salt")};
  }

  Rule rule(const Node& node) {
    known(node, {"route", "generation", "name", "hostnames", "matches", "filters", "backends",
                 "requestTimeout", "backendRequestTimeout", "retry", "session", "sticky"});
    Rule out;
    const std::string route = string(node, "route");
    const auto space = route.find(' ');
    if (space == std::string::npos)
      fail(child_place(node, "route"), "expected \"Kind namespace/name\", found \"" + route + "\"");
    out.route.kind = route.substr(0, space);
    std::tie(out.route.ns, out.route.name) =
        namespaced(child_place(node, "route"),
                   std::string_view(route).substr(space == std::string::npos ? route.size() : space + 1));
    out.route.generation = integer(node, "generation", 0, 0, std::numeric_limits<std::int64_t>::max());
    out.name = string(node, "name");
    out.hostnames = list<std::string>(node, "hostnames", &Reader::plain);
    out.matches = list<Match>(node, "matches", &Reader::match);
    out.filters = list<Filter>(node, "filters", &Reader::filter);
    out.backends = list<WeightedBackend>(node, "backends", &Reader::choice);
    out.request_timeout = duration(node, "requestTimeout");
    out.backend_request_timeout = duration(node, "backendRequestTimeout");
    if (const auto found = child(node, "retry")) out.retry = retry(*found);
    if (const auto found = child(node, "session")) out.session = session(*found);
    if (const auto found = child(node, "sticky")) out.sticky = sticky(*found);
    return out;
  }

  Protocol protocol(const Node& node) {
    const std::string name = string(node, "protocol");
    if (name == "tls") return Protocol::kTls;
    if (name == "tcp") return Protocol::kTcp;
    if (name == "udp") return Protocol::kUdp;
    if (!name.empty())
      fail(child_place(node, "protocol"), "expected tls, tcp or udp, found \"" + name + "\"");
    return Protocol::kHttp;
  }

  ClientValidation clients(const Node& node) {
    known(node, {"ca", "insecureFallback"});
    ClientValidation out{string(node, "ca"), boolean(node, "insecureFallback")};
    if (out.ca_pem.empty()) fail(child_place(node, "ca"), "expected a CA certificate");
    return out;
  }

  Listener listener(const Node& node) {
    known(node,
          {"gateway", "name", "address", "port", "hostname", "protocol", "certificate", "clients", "rules"});
    Listener out;
    std::tie(out.gateway_ns, out.gateway) = namespaced(child_place(node, "gateway"), string(node, "gateway"));
    out.name = string(node, "name");
    out.address = string(node, "address");
    out.port = static_cast<std::uint16_t>(integer(node, "port", 0, 0, 65535));
    out.hostname = string(node, "hostname");
    out.protocol = protocol(node);
    out.certificate_pem = string(node, "certificate");
    if (const auto found = child(node, "clients")) out.clients = clients(*found);
    out.rules = to_shared(list<Rule>(node, "rules", &Reader::rule));
    return out;
  }

  std::string problem_;
  const std::vector<Shared<Backend>>* backends_ = nullptr;
};

}  // namespace

Result<Table> from_yaml(std::string_view text) {
  if (text.size() > kTableYamlBytes) {
    return Error{ErrorCode::kLimit, "routing table of " + std::to_string(text.size()) + " bytes; at most " +
                                        std::to_string(kTableYamlBytes)};
  }
  const auto documents = yaml::parse_all(text);
  if (!documents) return documents.error();
  if (documents->empty()) return Table{};
  if (documents->size() > 1)
    return Error{ErrorCode::kInvalid,
                 "routing table: expected one YAML document, found " + std::to_string(documents->size())};
  return Reader().run(documents->front().value);
}

}  // namespace tidegate::routing
