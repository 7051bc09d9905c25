// SPDX-License-Identifier: Apache-2.0
// Checks the listeners of one Gateway: protocols, conflicts between them, allowed route kinds, certificates.
// Thread: none; pure.
#pragma once

#include "gateway/graph.h"

namespace tidegate::gateway {

// Fills `gateway.listeners` from the Gateway's spec. A listener that is wrong affects no other, save where
// two conflict.
void check_listeners(const ClusterState& state, GatewayNode& gateway);

// Whether hostnames tell listeners of its protocol apart, as of HTTP and TLS; of others they count for
// nothing.
bool names_hosts(const ListenerNode& listener);

}  // namespace tidegate::gateway
