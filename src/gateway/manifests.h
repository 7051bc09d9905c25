// SPDX-License-Identifier: Apache-2.0
// A ClusterState from documents instead of an API server: for `tidegate check`, `tidegate translate` and the
// golden tests. Thread: none; pure.
#pragma once

#include "base/json.h"
#include "gateway/cluster_state.h"

namespace tidegate::gateway {

// Takes the object in if it is of a kind that the translation looks at; a missing namespace reads as
// "default", a missing generation as 1. false: of another kind.
bool add_object(ClusterState& state, const Json& document);

}  // namespace tidegate::gateway
