// SPDX-License-Identifier: Apache-2.0
// The cookie by which a rule's session persistence (GEP-1619) finds the backend and the endpoint again that a
// client met first. It names both by digests, since addresses are nobody's business; a made-up one leads to
// another endpoint of the same rule at worst. Pure and total; time is an argument. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/headers.h"
#include "routing/table.h"

namespace tidegate::routing {

struct Session {
  std::uint64_t backend = 0, endpoint = 0;  // session_digest() of their names
  std::chrono::sys_seconds created{}, seen{};
  friend bool operator==(const Session&, const Session&) = default;
};

std::uint64_t session_digest(std::string_view name);

// Of the request's cookies the session that this rule gave it; nullopt where there is none, or it has lasted
// too long.
std::optional<Session> read_session(const SessionPersistence& persistence, const http::Headers& request,
                                    TimePoint now);

// The value of Set-Cookie. `secure`: the client came over TLS.
std::string session_cookie(const SessionPersistence& persistence, const Session& session,
                           const PathMatch& path, bool secure);

}  // namespace tidegate::routing
