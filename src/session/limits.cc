// SPDX-License-Identifier: Apache-2.0
#include "session/limits.h"

#include "http/h2_guard.h"

namespace tidegate::session {

std::optional<Limit> limit_behind(int status) {
  if (status == 414) return Limit::kStartLineBytes;
  if (status == 431) return Limit::kHeaderBytes;
  return std::nullopt;
}

Limit limit_behind(http::H2Nuisance what) {
  constexpr auto first = static_cast<std::uint8_t>(Limit::kHttp2Resets);
  static_assert(first + static_cast<int>(http::H2Nuisance::kQueue) == static_cast<int>(Limit::kHttp2Queue));
  return static_cast<Limit>(first + static_cast<std::uint8_t>(what));
}

}  // namespace tidegate::session
