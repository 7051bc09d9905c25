// SPDX-License-Identifier: Apache-2.0
// How a rollout begins and ends. Thread: none; pure.
#pragma once

#include "rollout/turn.h"

namespace tidegate::rollout {

// Follows the spec's revision: a new one begins (again) at step 0, the stable one cancels (G8).
// With dynamicStableScale it first waits for stable to have its pods back: status.returningSince.
void adopt_revision(Turn& turn);

void begin(Turn& turn);  // at step 0, with the revision of the spec
void abort(Turn& turn, std::string by, std::string reason);
void complete(Turn& turn);
// Records the current step, where there is one: Passed, Promoted or Aborted, with what decided it (G11).
void finish_step(Turn& turn, const char* outcome, std::string figures);
void enter_step(Turn& turn, std::int64_t index);

}  // namespace tidegate::rollout
