// SPDX-License-Identifier: Apache-2.0
// What is read of a cookie is what would be written for it.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "routing/sticky_split.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidegate;
  const routing::StickySplit split{"s", "v2"};
  http::Headers headers;
  headers.add("cookie", {reinterpret_cast<const char*>(data), size});
  const auto point = routing::read_point(split, headers);
  if (!point) return 0;
  http::Headers again;
  again.add("cookie", routing::point_cookie(split, *point, false));
  TIDEGATE_ASSERT(routing::read_point(split, again) == point);
  return 0;
}
