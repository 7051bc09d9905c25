// SPDX-License-Identifier: Apache-2.0
// A Rollout as the controller and `tidegate check` read it: decoded, and its conditions parsed as well.
// Thread: none; pure.
#pragma once

#include "api/rollout.h"

namespace tidegate::rollout {

api::Rollout read_rollout(const Json& json);

}  // namespace tidegate::rollout
