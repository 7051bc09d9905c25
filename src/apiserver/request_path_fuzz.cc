// SPDX-License-Identifier: Apache-2.0
// Any path is none, or names a version and has no part after an empty one; any query can be read.
#include "apiserver/request_path.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidegate::apiserver;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto path = parse_resource_path(text)) {
    TIDEGATE_ASSERT(!path->version.empty());
    TIDEGATE_ASSERT(path->name.empty() || !path->plural.empty());
    TIDEGATE_ASSERT(path->subresource.empty() || !path->name.empty());
  }
  const auto query = Query::parse(text);
  (void)query.number("limit", 0);
  (void)query.get("labelSelector");
  return 0;
}
