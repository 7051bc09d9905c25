// SPDX-License-Identifier: Apache-2.0
#include "routing/sticky_split.h"

#include <array>
#include <charconv>

#include "base/text.h"
#include "routing/cookies.h"
#include "routing/limits.h"
#include "routing/weighted_pick.h"

namespace tidegate::routing {
namespace {

// Turns the circle, so that with the next salt not the same clients come first again. FNV leaves the upper
// bits of alike salts alike; they are what counts here.
std::uint64_t offset(const StickySplit& split) {
  const std::uint64_t hash = text::fnv1a(split.salt);
  return (hash ^ (hash >> 29)) * PickSequence::kStep;
}

}  // namespace

std::optional<std::uint64_t> read_point(const StickySplit& split, const http::Headers& request) {
  std::uint64_t place = 0;
  const bool found = any_cookie(request, split.cookie, [&](std::string_view value) {
    const char* const end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, place, 16);
    return read.ec == std::errc() && read.ptr == end;
  });
  return found ? std::optional(place + offset(split)) : std::nullopt;
}

std::string point_cookie(const StickySplit& split, std::uint64_t point, bool secure) {
  std::array<char, 16> place;
  const auto end = std::to_chars(place.data(), place.data() + place.size(), point - offset(split), 16).ptr;
  std::string out = split.cookie + "=" + std::string(place.data(), end) +
                    "; Path=/; Max-Age=" + std::to_string(kStickySeconds.count()) +
                    "; HttpOnly; SameSite=Lax";
  if (secure) out += "; Secure";
  return out;
}

}  // namespace tidegate::routing
