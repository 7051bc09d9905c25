// SPDX-License-Identifier: Apache-2.0
// What people say by annotations. An effect is recorded in status together with the annotation that asked for
// it; only then is the annotation removed, so that a crash in between neither loses nor repeats it. Thread:
// none; pure.
#pragma once

#include "rollout/turn.h"

namespace tidegate::rollout {

void obey_commands(Turn& turn);
void remove_obeyed(Turn& turn);  // those whose effect stood in status already

}  // namespace tidegate::rollout
