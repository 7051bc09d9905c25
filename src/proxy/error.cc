// SPDX-License-Identifier: Apache-2.0
#include "proxy/error.h"

#include <array>

namespace tidegate::proxy {
namespace {

using K = ErrorKind;
using F = FailureReason;

// gRPC: 3 invalid argument, 4 deadline exceeded, 8 resource exhausted, 12 unimplemented, 14 unavailable, 1
// cancelled.
constexpr std::array kPolicies = {
    ErrorPolicy{K::kBadPath, 400, 3, false, "bad_path", F::kNone},
    ErrorPolicy{K::kUpgradeUnsupported, 501, 12, false, "upgrade_unsupported", F::kNone},
    ErrorPolicy{K::kNoListener, 404, 12, false, "no_listener", F::kNone},
    ErrorPolicy{K::kMisdirected, 421, 14, false, "misdirected", F::kNone},
    ErrorPolicy{K::kNoRoute, 404, 12, false, "no_route", F::kNone},
    ErrorPolicy{K::kDirectResponse, 500, 14, false, "direct_response", F::kNone},
    ErrorPolicy{K::kNoBackends, 500, 14, false, "no_backends", F::kNone},
    ErrorPolicy{K::kInvalidBackend, 500, 14, false, "invalid_backend", F::kNone},
    ErrorPolicy{K::kBackendPolicy, 502, 14, false, "backend_policy", F::kTls},
    ErrorPolicy{K::kNoEndpoints, 503, 14, false, "no_endpoints", F::kNoEndpoints},
    ErrorPolicy{K::kConnectRefused, 503, 14, false, "connect_refused", F::kConnectRefused},
    ErrorPolicy{K::kConnectTimeout, 504, 14, false, "connect_timeout", F::kConnectTimeout},
    ErrorPolicy{K::kTls, 502, 14, false, "tls", F::kTls},
    ErrorPolicy{K::kReset, 502, 14, false, "reset", F::kReset},
    ErrorPolicy{K::kBackendTimeout, 504, 4, false, "backend_timeout", F::kTimeout},
    ErrorPolicy{K::kRequestTimeout, 504, 4, false, "request_timeout", F::kTimeout},
    ErrorPolicy{K::kProtocol, 502, 14, false, "protocol", F::kProtocol},
    ErrorPolicy{K::kOverflow, 503, 8, false, "overflow", F::kOverflow},
    ErrorPolicy{K::kClientGone, 499, 1, true, "client_gone", F::kNone},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kPolicies.size(); ++i) {
    if (static_cast<std::size_t>(kPolicies[i].kind) != i) return false;
  }
  return kPolicies.size() == static_cast<std::size_t>(K::kClientGone) + 1;
}
static_assert(in_order(), "one row for each kind, in the order of the kinds");

}  // namespace

const ErrorPolicy& policy(ErrorKind kind) { return kPolicies[static_cast<std::size_t>(kind)]; }

std::string_view to_string(FailureReason reason) {
  switch (reason) {
    case F::kNone:
      return "";
    case F::kConnectRefused:
      return "connect_refused";
    case F::kConnectTimeout:
      return "connect_timeout";
    case F::kReset:
      return "reset";
    case F::kTimeout:
      return "timeout";
    case F::kTls:
      return "tls";
    case F::kOverflow:
      return "overflow";
    case F::kNoEndpoints:
      return "no_endpoints";
    case F::kProtocol:
      return "protocol";
  }
  return "";
}

ErrorKind kind_of(session::StreamError error) {
  using S = session::StreamError;
  switch (error) {
    case S::kConnectRefused:
      return K::kConnectRefused;
    case S::kConnectTimeout:
      return K::kConnectTimeout;
    case S::kTls:
      return K::kTls;
    case S::kTimeout:
      return K::kBackendTimeout;
    case S::kProtocol:
      return K::kProtocol;
    case S::kOverflow:
      return K::kOverflow;
    case S::kUnsupported:
      return K::kUpgradeUnsupported;
    case S::kNone:
    case S::kRefused:
    case S::kReset:
    case S::kCancelled:
      return K::kReset;
  }
  return K::kReset;
}

}  // namespace tidegate::proxy
