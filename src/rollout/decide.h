// SPDX-License-Identifier: Apache-2.0
// The Rollout state machine: one pure, total function (invariants I1, I2). Same input, same output; no clock,
// no I/O. Thread: none.
#pragma once

#include "rollout/decision.h"

namespace tidegate::rollout {

Decision decide(const api::Rollout& rollout, const Observation& seen);

}  // namespace tidegate::rollout
