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

// Routes of which they tell something else.
std::set<Served::RouteId> differences(const Served& a, const Served& b);

// Makes `served`, which tells of `before`, tell of the table that follows it: only what the two do not share
// is looked at. Returns the routes of which something else is served now; nullopt, and nothing is done:
// listeners came, went or changed, or rules got another place.
std::optional<std::set<Served::RouteId>> follow(Served& served, const routing::Table& before,
                                                const routing::Table& now);

}  // namespace tidegate::gateway
