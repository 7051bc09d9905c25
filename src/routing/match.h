// SPDX-License-Identifier: Apache-2.0
// From a request head to the rule that serves it. Pure and total. The target's path is matched as it stands:
// the caller has normalised it (http/uri.h), and forwards the same string. Thread: any; nothing is kept.
#pragma once

#include <optional>
#include <string_view>

#include "http/message.h"
#include "routing/compile.h"

namespace tidegate::routing {

struct Matched {
  const CompiledListener* listener = nullptr;  // null: no listener takes this host
  const CompiledMatch* match = nullptr;        // null: the listener has no rule for the request
  const CompiledRule* rule() const { return match == nullptr ? nullptr : listener->by_place[match->place]; }
};

Matched match(const CompiledPort& port, const http::RequestHead& request);

// The rule that a connection to this listener belongs to, or a UDP client: by the name that it asks for in
// TLS (lower case; empty: none), exact before the longest wildcard. Null: there is none. Of protocols other
// than HTTP.
const CompiledRule* match_tunnel(const CompiledListener& listener, std::string_view server_name);

// Whether `path` lies under `prefix`, element by element: "/v2" takes "/v2" and "/v2/x", not "/v2x". `prefix`
// has no trailing slash unless it is "/".
bool path_has_prefix(std::string_view path, std::string_view prefix);

// The listener of this port that a host belongs to: exact, else the longest wildcard, else the one for any;
// null: none. `host` in lower case.
const CompiledListener* find_listener(const CompiledPort& port, std::string_view host);

}  // namespace tidegate::routing
