// SPDX-License-Identifier: Apache-2.0
// Any text is either a JSON path or refused with a reason.
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/json_path.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tidegate::Json object = {
      {"spec", {{"list", {{{"type", "Ready"}, {"n", 1}}, {{"type", "Other"}, {"n", 2.5}}}}, {"a.b", true}}}};
  const auto found = tidegate::json::select(object, {reinterpret_cast<const char*>(data), size});
  if (!found) TIDEGATE_ASSERT(!found.error().detail.empty());
  return 0;
}
