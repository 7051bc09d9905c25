// SPDX-License-Identifier: Apache-2.0
// ReplicaSets and Services: what each should be, and the writes that make it so. Nothing is taken away that
// still serves (G12). Thread: none; pure.
#pragma once

#include "rollout/turn.h"

namespace tidegate::rollout {

// How many canary pods the stage and the step ask for.
std::int64_t wanted_canaries(const Turn& turn);

// How many pods stable needs for what the canary's weight leaves it; all of them without dynamicStableScale.
std::int64_t wanted_stables(const Turn& turn);

// What the form of the workload asks for: Services and ReplicaSets, a Deployment; nothing for two slots.
void drive_workload(Turn& turn);

// A Rollout that is being deleted: its Deployment gets its replicas back and is waited for, Services and
// routes lead to it, and only then the Rollout may go (G15).
void hand_back(Turn& turn);

}  // namespace tidegate::rollout
