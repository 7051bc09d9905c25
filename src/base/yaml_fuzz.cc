// SPDX-License-Identifier: Apache-2.0
// Whatever yaml::parse_all accepts reads back the same after dump.
#include "base/assert.h"
#include "base/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace yaml = tidegate::yaml;
  const auto parsed = yaml::parse_all({reinterpret_cast<const char*>(data), size});
  if (!parsed) {
    TIDEGATE_ASSERT(!parsed.error().detail.empty());
    return 0;
  }
  for (const auto& document : *parsed) {
    const auto again = yaml::parse_all(yaml::dump(document.value));
    TIDEGATE_ASSERT(again.has_value() && again->size() == 1);
    TIDEGATE_ASSERT((*again)[0].value == document.value);
  }
  return 0;
}
