// SPDX-License-Identifier: Apache-2.0
// The Secret with certificate and key that a Gateway refers to. Whether the two are what they look like is
// found when they are used. Thread: none; pure.
#pragma once

#include <string>

#include "gateway/cluster_state.h"

namespace tidegate::gateway {

struct TlsSecret {
  const api::Secret* secret = nullptr;  // with tls.crt and tls.key; null: `fault` says why
  std::string fault;
  std::string field;      // the part of the reference that is at fault: ".kind", or empty
  bool permitted = true;  // false: no ReferenceGrant lets Gateways of `ns` use it
};

// `ns`: the Gateway's, where the reference names none.
TlsSecret find_tls_secret(const ClusterState& state, const std::string& ns, api::ObjectReference reference);

}  // namespace tidegate::gateway
