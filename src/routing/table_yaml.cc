// SPDX-License-Identifier: Apache-2.0
#include "routing/table_yaml.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/yaml.h"

namespace tidegate::routing {
namespace {

constexpr std::string_view kDigestPrefix = "digest:";

template <typename T>
void put(Json& to, const char* key, const T& value, const T& fallback = T{}) {
  if (value != fallback) to[key] = value;
}

template <typename T, typename Write>
void put_list(Json& to, const char* key, const std::vector<T>& values, Write write) {
  if (values.empty()) return;
  Json& list = to[key] = Json::array();
  for (const T& value : values) list.push_back(write(value));
}

std::string duration_text(std::chrono::milliseconds duration) { return text::format_duration(duration); }

// A table that was read back holds the digest already.
std::string digest(const std::string& pem) {
  if (pem.starts_with(kDigestPrefix)) return pem;
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(text::fnv1a(pem)));
  return std::string(kDigestPrefix) + hex;
}

const char* to_string(PathMatch::Kind kind) {
  switch (kind) {
    case PathMatch::Kind::kExact:
      return "exact";
    case PathMatch::Kind::kPrefix:
      return "prefix";
    case PathMatch::Kind::kRegex:
      return "regex";
  }
  return "";
}

const char* to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kHttp:
      return "";
    case Protocol::kTls:
      return "tls";
    case Protocol::kTcp:
      return "tcp";
    case Protocol::kUdp:
      return "udp";
  }
  return "";
}

Json value_match(const ValueMatch& match) {
  return {{"name", match.name}, {match.regex ? "regex" : "value", match.value}};
}

Json match_json(const Match& match) {
  Json out = Json::object();
  if (match.path != PathMatch()) out["path"] = Json{{to_string(match.path.kind), match.path.value}};
  put(out, "method", match.method);
  put_list(out, "headers", match.headers, value_match);
  put_list(out, "query", match.query, value_match);
  return out;
}

Json change_json(const HeaderChange& change) { return {{"name", change.name}, {"value", change.value}}; }

void put_rewrite(Json& to, const PathRewrite& rewrite) {
  switch (rewrite.kind) {
    case PathRewrite::Kind::kNone:
      break;
    case PathRewrite::Kind::kFull:
      to["path"] = rewrite.value;
      break;
    case PathRewrite::Kind::kPrefix:
      to["prefix"] = rewrite.value;
      break;
  }
}

// Writes filters, backends and rules of one table: references to backends are by name.
class Writer {
 public:
  explicit Writer(const Table& table) : table_(table) {}

  Json run() const {
    Json out = Json::object();
    put(out, "generation", table_.generation);
    put_list(out, "listeners", table_.listeners, [this](const Listener& l) { return listener(l); });
    put_list(out, "backends", table_.backends, [](const Backend& b) { return backend(b); });
    return out;
  }

  Json operator()(const HeaderModifier& filter) const {
    Json out = Json::object();
    put_list(out, "set", filter.set, change_json);
    put_list(out, "add", filter.add, change_json);
    put(out, "remove", filter.remove);
    return {{filter.response ? "responseHeaders" : "requestHeaders", out}};
  }
  Json operator()(const Redirect& filter) const {
    Json out = Json::object();
    put(out, "scheme", filter.scheme);
    put(out, "hostname", filter.hostname);
    put(out, "port", filter.port);
    put(out, "status", filter.status, 302);
    put_rewrite(out, filter.path);
    return {{"redirect", out}};
  }
  Json operator()(const UrlRewrite& filter) const {
    Json out = Json::object();
    put(out, "hostname", filter.hostname);
    put_rewrite(out, filter.path);
    return {{"rewrite", out}};
  }
  Json operator()(const Mirror& filter) const {
    Json out{{"backend", reference(filter.backend)}};
    if (filter.numerator != filter.denominator || filter.denominator != 100) {
      out["fraction"] = std::to_string(filter.numerator) + "/" + std::to_string(filter.denominator);
    }
    return {{"mirror", out}};
  }
  Json operator()(const DirectResponse& filter) const {
    Json out{{"status", filter.status}};
    put(out, "reason", filter.reason);
    return {{"respond", out}};
  }
  Json operator()(const Cors& filter) const {
    Json out = Json::object();
    put(out, "allowOrigins", filter.allow_origins);
    put(out, "allowMethods", filter.allow_methods);
    put(out, "allowHeaders", filter.allow_headers);
    put(out, "exposeHeaders", filter.expose_headers);
    put(out, "allowCredentials", filter.allow_credentials);
    put(out, "maxAge", filter.max_age, Cors().max_age);
    return {{"cors", out}};
  }

 private:
  // By name; by index where the name would not lead back ("#3").
  std::string reference(std::uint32_t index) const {
    if (index >= table_.backends.size()) return "#" + std::to_string(index);
    const Backend& wanted = table_.backends[index];
    for (std::uint32_t i = 0; i < index; ++i) {
      const Backend& other = table_.backends[i];
      if (other.port == wanted.port && other.name == wanted.name && other.ns == wanted.ns)
        return "#" + std::to_string(index);
    }
    return wanted.ns + "/" + wanted.name + ":" + std::to_string(wanted.port);
  }

  Json filter(const Filter& filter) const { return std::visit(*this, filter); }

  Json choice(const WeightedBackend& choice) const {
    Json out{{"backend", reference(choice.backend)}};
    put(out, "weight", choice.weight, 1U);
    put(out, "invalid", choice.invalid);
    put_list(out, "filters", choice.filters, [this](const Filter& f) { return filter(f); });
    return out;
  }

  Json rule(const Rule& rule) const {
    Json out{{"route", rule.route.kind + " " + rule.route.ns + "/" + rule.route.name}};
    put(out, "generation", rule.route.generation);
    put(out, "name", rule.name);
    put(out, "hostnames", rule.hostnames);
    put_list(out, "matches", rule.matches, match_json);
    put_list(out, "filters", rule.filters, [this](const Filter& f) { return filter(f); });
    put_list(out, "backends", rule.backends, [this](const WeightedBackend& b) { return choice(b); });
    if (rule.request_timeout.count() != 0) out["requestTimeout"] = duration_text(rule.request_timeout);
    if (rule.backend_request_timeout.count() != 0)
      out["backendRequestTimeout"] = duration_text(rule.backend_request_timeout);
    if (rule.retry) {
      out["retry"] =
          Json{{"attempts", rule.retry->attempts}, {"backoff", duration_text(rule.retry->backoff)}};
      put(out["retry"], "codes", rule.retry->codes);
    }
    if (rule.session) {
      Json& session = out["session"] = Json{{"cookie", rule.session->cookie}};
      put(session, "permanent", rule.session->permanent);
      if (rule.session->absolute_timeout.count() != 0)
        session["absoluteTimeout"] = duration_text(rule.session->absolute_timeout);
      if (rule.session->idle_timeout.count() != 0)
        session["idleTimeout"] = duration_text(rule.session->idle_timeout);
    }
    if (rule.sticky) {
      Json& sticky = out["sticky"] = Json{{"cookie", rule.sticky->cookie}};
      put(sticky, "salt", rule.sticky->salt);
    }
    return out;
  }

  Json listener(const Listener& listener) const {
    Json out{{"gateway", listener.gateway_ns + "/" + listener.gateway},
             {"name", listener.name},
             {"address", listener.address}};
    put(out, "port", listener.port);
    put(out, "hostname", listener.hostname);
    put(out, "protocol", std::string(to_string(listener.protocol)));
    if (!listener.certificate_pem.empty()) out["certificate"] = digest(listener.certificate_pem);
    if (listener.clients) {
      Json& clients = out["clients"] = Json{{"ca", digest(listener.clients->ca_pem)}};
      put(clients, "insecureFallback", listener.clients->insecure_fallback);
    }
    put_list(out, "rules", listener.rules, [this](const Rule& r) { return rule(r); });
    return out;
  }

  static Json backend_tls(const BackendTls& tls) {
    Json out = Json::object();
    put(out, "hostname", tls.hostname);
    put(out, "dnsNames", tls.dns_names);
    put(out, "uris", tls.uris);
    if (!tls.ca_pem.empty()) out["ca"] = digest(tls.ca_pem);
    put(out, "invalid", tls.invalid);
    if (tls.identity) {
      out["identity"] = {{"source", tls.identity->source},
                         {"certificate", digest(tls.identity->certificate_pem)}};
    }
    return out;
  }

  static Json backend(const Backend& backend) {
    Json out{{"name", backend.ns + "/" + backend.name + ":" + std::to_string(backend.port)}};
    put(out, "protocol", backend.protocol);
    if (backend.tls) out["tls"] = backend_tls(*backend.tls);
    put_list(out, "endpoints", backend.endpoints, [](const Endpoint& e) {
      const bool v6 = e.ip.find(':') != std::string::npos;
      return (v6 ? "[" + e.ip + "]" : e.ip) + ":" + std::to_string(e.port) + (e.draining ? " draining" : "");
    });
    return out;
  }

  const Table& table_;
};

}  // namespace

std::string to_yaml(const Table& table) { return yaml::dump(Writer(table).run()); }

}  // namespace tidegate::routing
