// SPDX-License-Identifier: Apache-2.0
// From stage to stage and from step to step. Thread: none; pure.
#pragma once

#include "rollout/turn.h"

namespace tidegate::rollout {

// One move, if one is due. True: the wanted weight may be another now, so the routes are to be looked at
// again.
bool advance(Turn& turn);

}  // namespace tidegate::rollout
