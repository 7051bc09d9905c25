// SPDX-License-Identifier: Apache-2.0
// ReplicaSets and Services: what each should be, and the writes that make it so. Nothing is taken away that
// still serves (G12). Thread: none; pure.
#pragma once

#include "rollout/turn.h"

namespace tidegate::rollout {

// How many canary pods the stage and the step ask for.
std::int64_t wanted_canaries(const Turn& turn);

void drive_services(Turn& turn);
void drive_replica_sets(Turn& turn);

}  // namespace tidegate::rollout
