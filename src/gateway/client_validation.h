// SPDX-License-Identifier: Apache-2.0
// GEP-91: what a Gateway asks of clients on its HTTPS listeners, for all of them or by port (GEP-3567). A
// listener without an authority that it could trust is not served: nobody could be let in. Thread: none;
// pure.
#pragma once

#include "gateway/graph.h"

namespace tidegate::gateway {

void check_client_validation(const ClusterState& state, const GatewayNode& gateway, ListenerNode& listener);

// Whether it lets clients in without a valid certificate, on some port.
bool allows_insecure_fallback(const api::Gateway& gateway);
// Whether it trusts what is in this object ("ConfigMap", "Secret").
bool names_client_authority(const api::Gateway& gateway, std::string_view kind, const api::Key& key);

}  // namespace tidegate::gateway
