// SPDX-License-Identifier: Apache-2.0
// The routing table: what the gateway controller computes and the proxy serves; where the two layers meet
// (invariant I4). Plain values with defaulted equality and a canonical YAML form (table_yaml.h), which is the
// golden-file format, /debug/routes, and the wire form to remote proxies. Not: compiled for look-up
// (compile.h). Thread: none; shared as const snapshots.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/shared.h"

namespace tidegate::routing {

// ---- what a request must look like ----

struct PathMatch {
  enum class Kind : std::uint8_t { kExact, kPrefix, kRegex };
  Kind kind = Kind::kPrefix;
  std::string value = "/";  // prefix: whole path elements, without a trailing slash unless "/"
  friend bool operator==(const PathMatch&, const PathMatch&) = default;
};

struct ValueMatch {  // a header or a query parameter
  std::string name;
  std::string value;
  bool regex = false;
  friend bool operator==(const ValueMatch&, const ValueMatch&) = default;
};

struct Match {  // all parts must hold
  PathMatch path;
  std::string method;  // empty: any
  std::vector<ValueMatch> headers;
  std::vector<ValueMatch> query;
  friend bool operator==(const Match&, const Match&) = default;
};

// ---- what is done to it ----

struct HeaderChange {
  std::string name, value;
  friend bool operator==(const HeaderChange&, const HeaderChange&) = default;
};
struct HeaderModifier {
  bool response = false;  // false: of the request
  std::vector<HeaderChange> set, add;
  std::vector<std::string> remove;
  friend bool operator==(const HeaderModifier&, const HeaderModifier&) = default;
};
struct PathRewrite {
  enum class Kind : std::uint8_t { kNone, kFull, kPrefix };  // kPrefix: of the rule's matched prefix
  Kind kind = Kind::kNone;
  std::string value;
  friend bool operator==(const PathRewrite&, const PathRewrite&) = default;
};
struct Redirect {
  std::string scheme, hostname;  // empty: the request's
  PathRewrite path;
  std::uint16_t port = 0;  // 0: by scheme, else the listener's
  int status = 302;
  friend bool operator==(const Redirect&, const Redirect&) = default;
};
struct UrlRewrite {
  std::string hostname;
  PathRewrite path;
  friend bool operator==(const UrlRewrite&, const UrlRewrite&) = default;
};
struct Mirror {
  std::uint32_t backend = 0;  // index into Table::backends
  std::uint32_t numerator = 100, denominator = 100;
  friend bool operator==(const Mirror&, const Mirror&) = default;
};
struct DirectResponse {
  int status = 500;
  std::string reason;  // why, for the body and the log: "no backendRefs"
  friend bool operator==(const DirectResponse&, const DirectResponse&) = default;
};
struct Cors {  // GEP-1767; "*" in a list: any
  std::vector<std::string> allow_origins, allow_methods, allow_headers, expose_headers;
  bool allow_credentials = false;
  int max_age = 5;  // seconds
  friend bool operator==(const Cors&, const Cors&) = default;
};
using Filter = std::variant<HeaderModifier, Redirect, UrlRewrite, Mirror, DirectResponse, Cors>;

// ---- where it goes ----

struct WeightedBackend {
  std::uint32_t backend = 0;  // index into Table::backends
  std::uint32_t weight = 1;
  std::vector<Filter> filters;
  // A backendRef that can't be resolved keeps its share and answers 500 with this text; empty: fine.
  std::string invalid;
  friend bool operator==(const WeightedBackend&, const WeightedBackend&) = default;
};

struct RouteRef {
  std::string kind, ns, name;
  std::int64_t generation = 0;  // of the object that this came from: what the proxy acknowledges
  friend bool operator==(const RouteRef&, const RouteRef&) = default;
};

struct Retry {             // GEP-1731
  std::vector<int> codes;  // of answers that are not taken; connection errors always are retried
  int attempts = 2;        // after the first
  std::chrono::milliseconds backoff{25};  // at least, before each
  friend bool operator==(const Retry&, const Retry&) = default;
};

struct SessionPersistence {                                        // GEP-1619; by cookie
  std::string cookie;                                              // its name
  bool permanent = false;                                          // the browser keeps it when it is closed
  std::chrono::milliseconds absolute_timeout{0}, idle_timeout{0};  // 0: none
  friend bool operator==(const SessionPersistence&, const SessionPersistence&) = default;
};

struct StickySplit {   // a client meets the same share of the weights again
  std::string cookie;  // its name
  std::string salt;    // with another one all clients are dealt anew
  friend bool operator==(const StickySplit&, const StickySplit&) = default;
};

struct Rule {
  RouteRef route;
  std::string name;  // the rule's name where set, else its index
  std::vector<std::string>
      hostnames;  // of the route, intersected with the listener's; empty: whatever the listener takes
  std::vector<Match> matches;   // any of them; empty only where the listener's protocol is not kHttp
  std::vector<Filter> filters;  // in order
  std::vector<WeightedBackend> backends;
  std::chrono::milliseconds request_timeout{0};  // 0: none
  std::chrono::milliseconds backend_request_timeout{0};
  std::optional<Retry> retry;
  std::optional<SessionPersistence> session;
  std::optional<StickySplit> sticky;  // for clients without a session
  friend bool operator==(const Rule&, const Rule&) = default;
};

// What a listener makes of what comes in. kTls, kTcp, kUdp: it is carried on as it is, to a backend that the
// rule's weights choose for each connection (UDP: for each client's address and port); of such rules route,
// name, hostnames and backends count, and the first one that fits is taken.
enum class Protocol : std::uint8_t { kHttp, kTls, kTcp, kUdp };

// What is asked of clients over TLS (GEP-91).
struct ClientValidation {
  std::string
      ca_pem;  // never empty: their certificates must come from one of these. The YAML form shows a digest.
  bool insecure_fallback = false;  // who has none, or another one, is let in as well
  friend bool operator==(const ClientValidation&, const ClientValidation&) = default;
};

struct Listener {
  std::string gateway_ns, gateway, name;
  std::string address;  // numeric IP
  std::uint16_t port = 0;
  std::string hostname;  // empty: any; "*.example.com"; exact
  // TLS termination: PEM of the certificate chain and key; empty: plain HTTP, or TLS that is passed through.
  // Never printed; the YAML form shows a digest.
  std::string certificate_pem, private_key_pem;
  std::vector<Shared<Rule>>
      rules;  // the order breaks ties: by age, name and rule index, as GEP-718's precedence asks
  Protocol protocol = Protocol::kHttp;
  std::optional<ClientValidation> clients = {};  // absent: anybody. Where TLS is ended and carries HTTP.
  friend bool operator==(const Listener&, const Listener&) = default;
};

struct Endpoint {
  std::string ip;
  std::uint16_t port = 0;
  bool draining = false;  // terminating: no new requests unless nothing else is left
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// What a Gateway shows to backends that ask who it is (GEP-3155). PEM; the YAML form shows a digest.
struct ClientIdentity {
  std::string source;  // "Secret shop/client", for messages
  std::string certificate_pem, private_key_pem;
  friend auto operator<=>(const ClientIdentity&, const ClientIdentity&) = default;
};

// How a backend is spoken to over TLS, and who it must prove to be (GEP-1897).
struct BackendTls {
  std::string hostname;                      // sent as SNI
  std::vector<std::string> dns_names, uris;  // one of them must be in the certificate; none: the host name
  std::string ca_pem;                        // empty: the system's. The YAML form shows a digest.
  std::string invalid;  // why nothing may be sent, neither by TLS nor in the clear; empty: fine
  std::optional<ClientIdentity> identity = {};
  friend auto operator<=>(const BackendTls&, const BackendTls&) = default;
};

// A Service port; one entry, however many rules name it, and one more for each identity that it is shown.
struct Backend {
  std::string ns, name;
  std::uint16_t port = 0;
  std::string protocol;  // "http", "h2c", "ws"
  std::vector<Endpoint> endpoints;
  std::optional<BackendTls> tls;  // absent: in the clear
  friend bool operator==(const Backend&, const Backend&) = default;
};

struct Table {
  std::uint64_t generation = 0;  // grows with each published table
  std::vector<Listener> listeners;
  std::vector<Shared<Backend>> backends;
  friend bool operator==(const Table&, const Table&) = default;
};

using TablePtr = std::shared_ptr<const Table>;

}  // namespace tidegate::routing
