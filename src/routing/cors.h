// SPDX-License-Identifier: Apache-2.0
// Cross-origin requests of browsers (the Fetch standard's CORS protocol) as a route's CORS filter answers
// them (GEP-1767). Pure and total. Thread: any.
#pragma once

#include <string_view>
#include <vector>

#include "http/message.h"
#include "routing/table.h"

namespace tidegate::routing {

// Whether a browser asks here if it may ask: OPTIONS with Origin and Access-Control-Request-Method.
bool is_preflight(const http::RequestHead& request);

// The headers of a preflight's answer: none where the origin is not allowed.
std::vector<HeaderChange> answer_preflight(const Cors& cors, const http::RequestHead& request);

// For the response to a request with this Origin (empty: it had none). What the backend says of the matter
// itself is replaced: the route's word counts.
void apply_cors(const Cors& cors, std::string_view origin, http::Headers& response);

// `allowed` is "*", or scheme://host[:port] with a host that may begin with "*", for any characters there.
bool origin_matches(std::string_view allowed, std::string_view origin);

}  // namespace tidegate::routing
