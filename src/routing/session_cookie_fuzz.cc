// SPDX-License-Identifier: Apache-2.0
// What is read of a cookie is what would be written for it.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "routing/session_cookie.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidegate;
  const routing::SessionPersistence persistence{"s"};
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  http::Headers headers;
  headers.add("cookie", bytes);
  const auto session = routing::read_session(persistence, headers, TimePoint());
  if (!session) return 0;
  const std::string cookie = routing::session_cookie(persistence, *session, {}, false);
  http::Headers again;
  again.add("cookie", cookie);
  TIDEGATE_ASSERT(routing::read_session(persistence, again, TimePoint()) == session);
  return 0;
}
