// SPDX-License-Identifier: Apache-2.0
// The weight of the canary: what it should be, what the routes say, and the smallest change that makes them
// agree. Thread: none; pure.
#pragma once

#include "rollout/turn.h"

namespace tidegate::rollout {

// What the stage and the step ask for.
double target_weight(const Turn& turn);
// The target, held back while the canary has fewer ready endpoints than it needs (G2); without any it is 0.
double allowed_weight(const Turn& turn);

// Whether the rule splits so, as exactly as whole numbers can.
bool splits(const SeenRule& rule, double percent);
RuleWeights weights_for(const SeenRule& rule, double percent);

// Puts the allowed weight on the routes; nothing where they agree. Repairs what others changed; after three
// repairs within a minute it pauses the rollout instead (G7). Fills weight_served, status.weights and
// problems with the routes.
void drive_routes(Turn& turn);

}  // namespace tidegate::rollout
