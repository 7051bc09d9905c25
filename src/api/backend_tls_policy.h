// SPDX-License-Identifier: Apache-2.0
// BackendTLSPolicy (GEP-1897) as the gateway controller reads it, and the status that it writes. Decoding is
// total; enumerations stay text, so that a value we do not know can be named in a message. Not: checked
// (gateway/backend_tls.h). Thread: none; plain values.
#pragma once

#include <string>
#include <vector>

#include "api/gateway.h"
#include "api/routes.h"

namespace tidegate::api {

inline constexpr Resource kBackendTlsPolicies{kGatewayGroup, "v1", "backendtlspolicies", "BackendTLSPolicy"};

struct PolicyTarget {
  std::string group, kind, name;
  std::string section_name;  // of a Service: the name of its port; empty: all of them
};
struct SubjectAltName {
  std::string type;   // Hostname, URI
  std::string value;  // of the field that the type names
};
// Of each Gateway that the policy has to do with: its reference in place of a route's parentRef.
struct PolicyStatus {
  std::vector<RouteParentStatus> ancestors;
  friend bool operator==(const PolicyStatus&, const PolicyStatus&) = default;
};
struct BackendTlsPolicy {
  Meta meta;
  std::vector<PolicyTarget> targets;
  std::string hostname;
  std::vector<SubjectAltName> alt_names;
  std::vector<ObjectReference> ca_refs;  // of the policy's own namespace
  std::string well_known;                // wellKnownCACertificates; empty: not set
  PolicyStatus status;
};
BackendTlsPolicy decode_backend_tls_policy(const Json& json);
Json encode_status(const PolicyStatus& status);

}  // namespace tidegate::api
