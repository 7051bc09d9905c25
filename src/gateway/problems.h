// SPDX-License-Identifier: Apache-2.0
// What can be wrong with an object: one row a reason (condition, severity, what becomes of traffic), and the
// message made of it. statuses.cc alone folds problems into conditions (invariant I6). Thread: none; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"

namespace tidegate::gateway {

enum class Reason : std::uint8_t {
  // GatewayClass and Gateway
  kClassParameters,
  kClassNotAccepted,
  kGatewayParameters,
  kUnsupportedAddress,
  kAddressNotUsable,
  kAddressNotAssigned,
  kListenersNotValid,
  kInvalidClientCertificateRef,
  kClientCertificateRefNotPermitted,
  kListenersNotResolved,
  // Listener
  kUnsupportedProtocol,
  kProtocolConflict,
  kHostnameConflict,
  kUnsupportedListenerValue,
  kInvalidRouteKinds,
  kInvalidCertificateRef,
  kCertificateRefNotPermitted,
  kInvalidClientCaRef,
  kInvalidClientCaKind,
  kClientCaRefNotPermitted,
  kNoValidClientCa,
  kPortUnavailable,
  // HTTPRoute
  kNotAllowedByListeners,
  kNoMatchingParent,
  kNoMatchingListenerHostname,
  kUnsupportedValue,
  kIncompatibleFilters,
  kInvalidKind,
  kBackendNotFound,
  kBackendRefNotPermitted,
  kUnsupportedBackendProtocol,
  // BackendTLSPolicy
  kInvalidPolicy,
  kConflictedPolicy,
  kNoValidCaCertificate,
  kInvalidCaCertificateRef,
  kInvalidCaKind,
  // Told, but no condition turns false of it
  kNoSuchGateway,
  kIgnoredField,
  kUnreachableHostname,
};

enum class Severity : std::uint8_t { kError, kWarning };

struct ReasonRow {
  Reason reason;
  std::string_view condition;  // that turns False; empty: none
  std::string_view text;       // the condition's reason
  Severity severity;
  std::string_view effect;  // what happens to traffic meanwhile: a sentence
};
const ReasonRow& row(Reason reason);

struct Problem {
  std::string kind;  // of the object
  api::Key object;
  std::string parent;  // the listener's name, or the index of the parentRef; empty: of the whole object
  std::string field;   // "spec.rules[0].backendRefs[1].name"
  Reason reason;
  std::string detail;            // the value, and what was expected
  std::string_view effect = {};  // on traffic, where it is another than the row's; a literal
  friend bool operator==(const Problem&, const Problem&) = default;
};

// "spec.rules[0].backendRefs[1].name: Service shop/web does not exist. Its share of the requests is answered
// with 500."
std::string message(const Problem& problem);
// "HTTPRoute shop/web: " in front of the same: where no object stands beside it.
std::string full_message(const Problem& problem);
// Of several problems of one condition: the first few, each effect once.
std::string message(const std::vector<const Problem*>& problems);

// A user's value for a message: quoted and cut.
std::string shown(std::string_view value);
// "spec.rules[0]" from ("spec.rules", 0).
std::string indexed(std::string_view field, std::size_t index);

}  // namespace tidegate::gateway
