// SPDX-License-Identifier: Apache-2.0
#include "session/limits.h"

namespace tidegate::session {

std::optional<Limit> limit_behind(int status) {
  if (status == 414) return Limit::kStartLineBytes;
  if (status == 431) return Limit::kHeaderBytes;
  return std::nullopt;
}

}  // namespace tidegate::session
