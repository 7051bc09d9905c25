// SPDX-License-Identifier: Apache-2.0
// The cookie by which a client meets the same share of a weighted split again. It holds the client's place on
// the circle that weights divide (weighted_pick.h). A share that grows takes in new places and gives none up,
// so who has met a growing canary keeps it; who has not may meet it later. Who changes the cookie gets
// another share of the same rule at worst. Pure and total. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http/headers.h"
#include "routing/table.h"

namespace tidegate::routing {

// The client's point for WeightedPick::at; nullopt: it has none yet.
std::optional<std::uint64_t> read_point(const StickySplit& split, const http::Headers& request);

// The value of Set-Cookie for a client that was given this point. `secure`: it came over TLS.
std::string point_cookie(const StickySplit& split, std::uint64_t point, bool secure);

}  // namespace tidegate::routing
