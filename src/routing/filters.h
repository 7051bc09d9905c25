// SPDX-License-Identifier: Apache-2.0
// What a rule's filters do to a request and to its response, in the order in which they are listed (Gateway
// API HTTPRouteFilter). Pure and total. Not: mirroring itself (proxy/mirror.h); select_mirrors() says where
// to. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "routing/compile.h"

namespace tidegate::routing {

// What filters need to know of how the request came and matched.
struct FilterContext {
  std::string_view matched_prefix;  // CompiledMatch::prefix; empty where the match was not by prefix
  std::uint16_t listener_port = 80;
};

// A response that a filter gave in place of a backend.
struct Answer {
  int status = 0;
  std::string location;                                // of a redirect; empty: none
  std::string reason;                                  // of a direct response
  std::optional<std::vector<HeaderChange>> preflight;  // set: the answer to one, with these headers
  friend bool operator==(const Answer&, const Answer&) = default;
};

// Changes the head as the filters say. An Answer ends the request: no later filter runs. Preflights are
// answered before all else, wherever a CORS filter stands.
std::optional<Answer> apply_request_filters(std::span<const Filter> filters, const FilterContext& context,
                                            http::RequestHead& request);
// `origin`: of the request as it came; it matters to CORS filters alone.
void apply_response_filters(std::span<const Filter> filters, http::Headers& headers,
                            std::string_view origin = {});

// Indices into Table::backends; most often none.
std::vector<std::uint32_t> select_mirrors(const CompiledRule& rule);

// The path after the rewrite; the query is not the concern of this function. `path` lies under `prefix`.
std::string rewrite_path(const PathRewrite& rewrite, std::string_view path, std::string_view prefix);

}  // namespace tidegate::routing
