// SPDX-License-Identifier: Apache-2.0
// The Rollout's own routes: for each route that it drives and each header step that is in effect, a copy that
// asks for the headers too and leads to the canary alone. The specification's precedence puts it before the
// user's route, which stays as it is. Derived anew in every decision, from the step and the user's route, so
// that drift, edits and missed events all end the same way (G7). Thread: none; pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/steps.h"
#include "rollout/turn.h"

namespace tidegate::rollout {

inline constexpr const char* kManagedBy = "app.kubernetes.io/managed-by";
Json owner_of(const api::Rollout& rollout);  // an owner reference that controls

// Every name that a step of the spec or the status gives to a route of the Rollout's own.
std::vector<RouteKey> managed_route_names(const api::Rollout& rollout);

// The header steps up to the current one that none has removed or replaced since.
std::vector<const api::SetHeaderRoute*> header_routes_set(const Turn& turn);
// Of these, what may be served: none while no pod of the canary could answer (G2).
std::vector<const api::SetHeaderRoute*> header_routes_in_effect(const Turn& turn);

// The spec for one step, made from `source`. An error says why the Gateway API has no room for it.
Result<Json> header_route_spec(const api::Rollout& rollout, const SeenRoute& source, const std::string& kind,
                               const api::SetHeaderRoute& step);

// Parts of it that mirrors on a route of their own share (mirrors.h).
Json matches_of(const Json& rule, const std::string& kind);  // with the default where there is none
// Adds the headers to a match. A header is compared once in a match, so another condition on it has no place.
Result<void> add_headers(Json& match, const std::vector<api::HeaderMatch>& headers);
// The spec of `source` with what copy(seen, rule) makes of each driven rule.
Result<Json> copy_rules(const SeenRoute& source,
                        const std::function<Result<Json>(const SeenRule& seen, const Json& rule)>& copy);

// Appends what makes the Rollout's own routes as they should be. Returns what is waited for until the data
// plane serves exactly those; empty: nothing.
std::string drive_managed_routes(Turn& turn);

}  // namespace tidegate::rollout
