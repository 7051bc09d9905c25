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
using Experiments = std::vector<api::ServiceWeight>;
bool splits(const SeenRule& rule, double percent, const Experiments& experiments = {});
RuleWeights weights_for(const SeenRule& rule, double percent, const Experiments& experiments = {});

// Someone else changed what had been put on a route. True: repair it, which is reported as `repaired`; after
// three repairs within a minute the rollout pauses instead of fighting on (G7). What is found changed in one
// look counts once.
bool may_repair(Turn& turn, const std::string& route, std::string repaired);

// Puts the allowed weight on the routes, and the Rollout's own routes beside them; nothing where they agree.
// The weights come first, so that an abort is one write (G4). Fills weight_served, status.weights,
// status.managedRoutes and problems with the routes.
void drive_routes(Turn& turn);

}  // namespace tidegate::rollout
