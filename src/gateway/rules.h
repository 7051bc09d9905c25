// SPDX-License-Identifier: Apache-2.0
// From a route's rules to the table's: matches, filters, backends, timeouts; of TLS, TCP and UDP routes the
// backends alone. A value that we do not know
// makes the whole route refused; a reference that can't be followed costs its share of one rule. Thread:
// none; pure.
#pragma once

#include "gateway/backends.h"
#include "gateway/graph.h"

namespace tidegate::gateway {

// Fills RouteNode::rules (without hostnames), `valid` and `problems`.
void translate_rules(RouteNode& route, Backends& backends);

}  // namespace tidegate::gateway
