// SPDX-License-Identifier: Apache-2.0
// `tidegate up`: everything on one machine, until SIGTERM or SIGINT.
#pragma once

#include <string>
#include <vector>

#include "app/world.h"

namespace tidegate::app {

// Returns the exit code: 0 stopped by a signal, 2 could not start (one line on standard error says why).
int run_up(WorldOptions options, const std::vector<std::string>& manifest_paths);

}  // namespace tidegate::app
