// SPDX-License-Identifier: Apache-2.0
#include "routing/session_cookie.h"

#include <array>
#include <charconv>

#include "base/text.h"
#include "routing/cookies.h"

namespace tidegate::routing {
namespace {

// Four numbers: backend, endpoint, created, seen; in hexadecimal, with dots between.
constexpr std::size_t kNumbers = 4;

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 16> out;
  const auto end = std::to_chars(out.data(), out.data() + out.size(), number, 16).ptr;
  return {out.data(), end};
}

std::optional<Session> parse(std::string_view value) {
  const auto parts = text::split(value, '.');
  if (parts.size() != kNumbers) return std::nullopt;
  std::array<std::uint64_t, kNumbers> numbers{};
  for (std::size_t i = 0; i < kNumbers; ++i) {
    const char* const end = parts[i].data() + parts[i].size();
    const auto read = std::from_chars(parts[i].data(), end, numbers[i], 16);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  }
  const auto time = [](std::uint64_t seconds) {
    return std::chrono::sys_seconds(std::chrono::seconds(seconds & 0xFF'FFFF'FFFF));
  };
  return Session{numbers[0], numbers[1], time(numbers[2]), time(numbers[3])};
}

bool expired(const SessionPersistence& persistence, const Session& session, TimePoint now) {
  const auto over = [now](std::chrono::milliseconds limit, std::chrono::sys_seconds since) {
    return limit.count() != 0 && now - since > limit;
  };
  return over(persistence.absolute_timeout, session.created) || over(persistence.idle_timeout, session.seen);
}

// Of a regular expression, the path elements that are plain text (GEP-1619).
std::string plain_elements(std::string_view regex) {
  regex = regex.substr(0, regex.find_first_of("\\^$.|?*+()[]{}"));
  const auto slash = regex.rfind('/');
  return slash == std::string_view::npos || slash == 0 ? "/" : std::string(regex.substr(0, slash));
}

std::string cookie_path(const PathMatch& path) {
  std::string out = path.kind == PathMatch::Kind::kRegex ? plain_elements(path.value) : path.value;
  const bool fits =
      std::all_of(out.begin(), out.end(), [](char c) { return c > ' ' && c < 127 && c != ';'; });
  return fits && out.starts_with('/') ? out : "/";
}

}  // namespace

std::uint64_t session_digest(std::string_view name) { return text::fnv1a(name); }

std::optional<Session> read_session(const SessionPersistence& persistence, const http::Headers& request,
                                    TimePoint now) {
  std::optional<Session> session;
  const bool found = any_cookie(request, persistence.cookie, [&](std::string_view value) {
    session = parse(value);
    return session && !expired(persistence, *session, now);
  });
  return found ? session : std::nullopt;
}

std::string session_cookie(const SessionPersistence& persistence, const Session& session,
                           const PathMatch& path, bool secure) {
  const auto time = [](std::chrono::sys_seconds at) {
    return hexadecimal(static_cast<std::uint64_t>(at.time_since_epoch().count()));
  };
  std::string out = persistence.cookie + "=" + hexadecimal(session.backend) + "." +
                    hexadecimal(session.endpoint) + "." + time(session.created) + "." + time(session.seen) +
                    "; Path=" + cookie_path(path);
  if (persistence.permanent) {
    const auto left = session.created + persistence.absolute_timeout - session.seen;
    out += "; Max-Age=" + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(left).count());
  }
  out += "; HttpOnly; SameSite=Strict";
  if (secure) out += "; Secure";
  return out;
}

}  // namespace tidegate::routing
