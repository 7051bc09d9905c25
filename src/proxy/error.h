// SPDX-License-Identifier: Apache-2.0
// Every way in which the proxy itself ends a request, and the one table of what follows from it (invariant
// I6): status, gRPC code, whether the client's connection ends, the token for log and header, the reason
// label of tidegate_backend_failures_total. Thread: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "session/streams.h"

namespace tidegate::proxy {

enum class ErrorKind : std::uint8_t {
  kBadPath,  // nothing that can be matched and forwarded as one string
  kUpgradeUnsupported,
  kNoListener,   // no listener of this port takes the host
  kMisdirected,  // TLS: SNI and Host belong to different listeners
  kNoRoute,
  kDirectResponse,  // the rule answers, by its filters
  kNoBackends,      // the rule has none, or all have weight 0
  kInvalidBackend,  // the reference could not be resolved
  kBackendPolicy,   // how to speak TLS to it is not known
  kNoEndpoints,
  kConnectRefused,
  kConnectTimeout,
  kTls,
  kReset,
  kBackendTimeout,
  kRequestTimeout,
  kProtocol,
  kOverflow,
  kClientGone,  // nobody to answer
};

enum class FailureReason : std::uint8_t {
  kNone,
  kConnectRefused,
  kConnectTimeout,
  kReset,
  kTimeout,
  kTls,
  kOverflow,
  kNoEndpoints,
  kProtocol
};
inline constexpr std::size_t kFailureReasons = 9;
std::string_view to_string(FailureReason reason);

struct ErrorPolicy {
  ErrorKind kind;
  int status;
  int grpc_status;         // https://grpc.io/docs/guides/status-codes
  bool close;              // the client's connection can't be used further
  std::string_view token;  // x-tidegate-error, and the access log
  FailureReason failure;   // kNone: no failure of a backend
};
const ErrorPolicy& policy(ErrorKind kind);

ErrorKind kind_of(session::StreamError error);  // of a backend's stream

// What is known of an error when it is answered.
struct ProxyError {
  ErrorKind kind;
  std::string
      detail;  // who and why: "HTTPRoute shop/web rule 0: backend shop/cart:80 has no ready endpoints"
};

}  // namespace tidegate::proxy
