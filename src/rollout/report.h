// SPDX-License-Identifier: Apache-2.0
// What people read of a turn: phase, message, conditions, printed columns. Thread: none; pure.
#pragma once

#include "rollout/turn.h"

namespace tidegate::rollout {

void report(Turn& turn);

}  // namespace tidegate::rollout
