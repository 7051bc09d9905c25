// SPDX-License-Identifier: Apache-2.0
// Copies of requests for the canary, whose answers nobody gets (Gateway API RequestMirror, 1.2 and later for
// percent). For all requests it is a filter on the rules that the Rollout drives, known by its backend and so
// never mixed up with a mirror of the user's; for some it stands on a route of the Rollout's own, which leads
// where the user's route leads. Thread: none; pure.
#pragma once

#include <string>
#include <vector>

#include "rollout/turn.h"

namespace tidegate::rollout {

bool names_service(const Json& reference, const std::string& ns, const std::string& service);
bool copies_to_canary(const api::Rollout& rollout, const Json& filter);
void remove_copies_to_canary(const api::Rollout& rollout, Json& rule);

// The mirror steps up to the current one that none has removed or replaced since.
std::vector<const api::SetMirrorRoute*> mirrors_set(const Turn& turn);
// Of these, what may be served: none while no pod of the canary could take them (G2).
std::vector<const api::SetMirrorRoute*> mirrors_in_effect(const Turn& turn);
// What the driven rules themselves are to copy, in percent; 0: nothing. The last step without `match` counts.
std::int64_t wanted_mirror(const Turn& turn);

bool mirrors(const SeenRule& rule, std::int64_t percent);  // the rule copies so, and in one filter
// Appends to a JSON patch of `route` what makes the rule copy so.
void add_mirror_patch(Json& patch, const api::Rollout& rollout, const Json& route, std::size_t rule,
                      std::int64_t percent);

// For a step with `match`: the route of its own. An error says why the Gateway API has no room for it.
Result<Json> mirror_route_spec(const api::Rollout& rollout, const SeenRoute& source, const std::string& kind,
                               const api::SetMirrorRoute& step);

}  // namespace tidegate::rollout
