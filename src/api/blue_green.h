// SPDX-License-Identifier: Apache-2.0
// spec.strategy.blueGreen, read as the strategy that it amounts to: steps without weights, and a promotion by
// the selector of the active Service. Thread: none; pure.
#pragma once

#include "api/rollout.h"

namespace tidegate::api {

void decode_blue_green(const FieldReader& blue_green, CanaryStrategy& out);

}  // namespace tidegate::api
