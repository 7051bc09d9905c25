// SPDX-License-Identifier: Apache-2.0
#include "gateway/problems.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "gateway/limits.h"

namespace tidegate::gateway {
namespace {

constexpr auto kError = Severity::kError;
constexpr auto kWarning = Severity::kWarning;

constexpr std::string_view kNoGateway = "The Gateway takes no traffic.";
constexpr std::string_view kNoListener = "The listener takes no traffic; others are not affected.";
constexpr std::string_view kNoClients = "No client is trusted for it.";
constexpr std::string_view kNotAttached = "The route gets no requests from this parent.";
constexpr std::string_view kNotServed =
    "The whole route is not served: its requests go to the next less specific route, else they get 404.";
constexpr std::string_view kShareLost = "Its share of the requests is answered with 500.";
constexpr std::string_view kNoIdentity =
    "Requests that this Gateway would send over TLS are answered with 502; others are served.";
constexpr std::string_view kNoTls = "Requests to the Services that it is about are answered with 502.";

// In the order of the enumeration; row() checks it.
constexpr std::array kRows = {
    ReasonRow{Reason::kClassParameters, "Accepted", "InvalidParameters", kError,
              "Gateways of this class take no traffic."},
    ReasonRow{Reason::kClassNotAccepted, "Accepted", "Pending", kError, kNoGateway},
    ReasonRow{Reason::kGatewayParameters, "Accepted", "InvalidParameters", kError, kNoGateway},
    ReasonRow{Reason::kUnsupportedAddress, "Accepted", "UnsupportedAddress", kError, kNoGateway},
    ReasonRow{Reason::kAddressNotUsable, "Programmed", "AddressNotUsable", kError,
              "The Gateway takes no traffic on this address."},
    ReasonRow{Reason::kAddressNotAssigned, "Programmed", "AddressNotAssigned", kError, kNoGateway},
    ReasonRow{Reason::kListenersNotValid, "Accepted", "ListenersNotValid", kError,
              "The listeners that are not named here are not affected."},
    ReasonRow{Reason::kInvalidClientCertificateRef, "ResolvedRefs", "InvalidClientCertificateRef", kError,
              kNoIdentity},
    ReasonRow{Reason::kClientCertificateRefNotPermitted, "ResolvedRefs", "RefNotPermitted", kError,
              kNoIdentity},
    ReasonRow{Reason::kListenersNotResolved, "ResolvedRefs", "ListenersNotResolved", kError,
              "The listeners that are not named here are not affected."},
    ReasonRow{Reason::kUnsupportedProtocol, "Accepted", "UnsupportedProtocol", kError, kNoListener},
    ReasonRow{Reason::kProtocolConflict, "Accepted", "ProtocolConflict", kError, kNoListener},
    ReasonRow{Reason::kHostnameConflict, "Accepted", "HostnameConflict", kError, kNoListener},
    ReasonRow{Reason::kUnsupportedListenerValue, "Accepted", "UnsupportedValue", kError, kNoListener},
    ReasonRow{Reason::kInvalidRouteKinds, "ResolvedRefs", "InvalidRouteKinds", kError,
              "Routes of the other kinds are served."},
    ReasonRow{Reason::kInvalidCertificateRef, "ResolvedRefs", "InvalidCertificateRef", kError, kNoListener},
    ReasonRow{Reason::kCertificateRefNotPermitted, "ResolvedRefs", "RefNotPermitted", kError, kNoListener},
    ReasonRow{Reason::kInvalidClientCaRef, "ResolvedRefs", "InvalidCACertificateRef", kError, kNoClients},
    ReasonRow{Reason::kInvalidClientCaKind, "ResolvedRefs", "InvalidCACertificateKind", kError, kNoClients},
    ReasonRow{Reason::kClientCaRefNotPermitted, "ResolvedRefs", "RefNotPermitted", kError, kNoClients},
    ReasonRow{Reason::kNoValidClientCa, "Accepted", "NoValidCACertificate", kError, kNoListener},
    ReasonRow{Reason::kPortUnavailable, "Programmed", "PortUnavailable", kError, kNoListener},
    ReasonRow{Reason::kNotAllowedByListeners, "Accepted", "NotAllowedByListeners", kError, kNotAttached},
    ReasonRow{Reason::kNoMatchingParent, "Accepted", "NoMatchingParent", kError, kNotAttached},
    ReasonRow{Reason::kNoMatchingListenerHostname, "Accepted", "NoMatchingListenerHostname", kError,
              kNotAttached},
    ReasonRow{Reason::kUnsupportedValue, "Accepted", "UnsupportedValue", kError, kNotServed},
    ReasonRow{Reason::kIncompatibleFilters, "Accepted", "IncompatibleFilters", kError, kNotServed},
    ReasonRow{Reason::kInvalidKind, "ResolvedRefs", "InvalidKind", kError, kShareLost},
    ReasonRow{Reason::kBackendNotFound, "ResolvedRefs", "BackendNotFound", kError, kShareLost},
    ReasonRow{Reason::kBackendRefNotPermitted, "ResolvedRefs", "RefNotPermitted", kError, kShareLost},
    ReasonRow{Reason::kUnsupportedBackendProtocol, "ResolvedRefs", "UnsupportedProtocol", kError, kShareLost},
    ReasonRow{Reason::kInvalidPolicy, "Accepted", "Invalid", kError, kNoTls},
    ReasonRow{Reason::kConflictedPolicy, "Accepted", "Conflicted", kError,
              "This policy has no effect on traffic: the other one's has."},
    ReasonRow{Reason::kNoValidCaCertificate, "Accepted", "NoValidCACertificate", kError, kNoTls},
    ReasonRow{Reason::kInvalidCaCertificateRef, "ResolvedRefs", "InvalidCACertificateRef", kError,
              "No certificate is trusted for it."},
    ReasonRow{Reason::kInvalidCaKind, "ResolvedRefs", "InvalidKind", kError,
              "No certificate is trusted for it."},
    ReasonRow{Reason::kNoSuchGateway, "", "NoSuchGateway", kWarning, kNotAttached},
    ReasonRow{Reason::kIgnoredField, "", "IgnoredField", kWarning, "Traffic flows as if it were not there."},
    ReasonRow{Reason::kUnreachableHostname, "", "UnreachableHostname", kWarning,
              "Requests for it do not reach this route; its other hostnames are served."},
};

std::string place(const Problem& problem) {
  return problem.field.empty() ? problem.detail : problem.field + ": " + problem.detail;
}

std::string_view effect_of(const Problem& problem) {
  return problem.effect.empty() ? row(problem.reason).effect : problem.effect;
}

}  // namespace

const ReasonRow& row(Reason reason) {
  const auto& found = kRows.at(static_cast<std::size_t>(reason));
  TIDEGATE_ASSERT(found.reason == reason);
  return found;
}

std::string message(const Problem& problem) {
  return place(problem) + ". " + std::string(effect_of(problem));
}

std::string full_message(const Problem& problem) {
  return problem.kind + " " + to_string(problem.object) + ": " + message(problem);
}

std::string message(const std::vector<const Problem*>& problems) {
  std::string text;
  std::vector<std::string_view> effects;
  for (std::size_t i = 0; i < problems.size() && i < kProblemsInMessage; ++i) {
    text += (text.empty() ? "" : "; ") + place(*problems[i]);
    const auto effect = effect_of(*problems[i]);
    if (std::find(effects.begin(), effects.end(), effect) == effects.end()) effects.push_back(effect);
  }
  if (problems.size() > kProblemsInMessage)
    text += "; and " + std::to_string(problems.size() - kProblemsInMessage) + " more";
  text += ".";
  for (const auto effect : effects) text.append(" ").append(effect);
  if (text.size() > kMessageBytes) text.resize(kMessageBytes);
  return text;
}

std::string shown(std::string_view value) {
  if (value.size() > kValueInMessage) return "\"" + std::string(value.substr(0, kValueInMessage)) + "...\"";
  return "\"" + std::string(value) + "\"";
}

std::string indexed(std::string_view field, std::size_t index) {
  return std::string(field) + "[" + std::to_string(index) + "]";
}

}  // namespace tidegate::gateway
