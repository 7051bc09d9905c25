// SPDX-License-Identifier: Apache-2.0
// What an acknowledged table says of listeners and routes. Thread: none; pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/cluster_state.h"
#include "routing/table.h"

namespace tidegate::gateway {

// `failed`: listeners that could not be opened, by endpoint_text(), with the reason.
Served served_by(const routing::Table& table, const std::vector<std::pair<std::string, std::string>>& failed);

}  // namespace tidegate::gateway
