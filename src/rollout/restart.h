// SPDX-License-Identifier: Apache-2.0
// Makes the pods anew without a new revision, as asked by the annotation tidegate.dev/restart: those that are
// older than the wish go one after another, and only as many at a time as can be done without. Where none
// can, there is one more pod meanwhile. Thread: none; pure.
#pragma once

#include "rollout/turn.h"

namespace tidegate::rollout {

void begin_restart(Turn& turn, const std::string& by);

// Pods of this revision above what it needs, while its old ones are replaced.
std::int64_t restart_surge(const Turn& turn, const std::string& revision);

// Takes away what may go, stable's first. Ends the restart when nothing old is left, or when nothing has
// moved for the progress deadline (G10).
void drive_restart(Turn& turn);

}  // namespace tidegate::rollout
