// SPDX-License-Identifier: Apache-2.0
// Whatever json::parse accepts is stable under dump and parse, and can be walked.
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace json = tidegate::json;
  const auto parsed = json::parse({reinterpret_cast<const char*>(data), size});
  if (!parsed) {
    TIDEGATE_ASSERT(!parsed.error().detail.empty());
    return 0;
  }
  const std::string text = json::dump(*parsed);
  const auto again = json::parse(text);
  TIDEGATE_ASSERT(again.has_value() || again.error().code == tidegate::ErrorCode::kLimit);
  if (again) TIDEGATE_ASSERT(json::dump(*again) == text);
  (void)json::find(*parsed, "metadata.name");
  (void)json::find(*parsed, "/0/~1a");
  return 0;
}
