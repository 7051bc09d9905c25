// SPDX-License-Identifier: Apache-2.0
// Whatever is read as a table is written and read back as the same table, and compiles.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "routing/compile.h"
#include "routing/table_yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidegate::routing;
  const auto table = from_yaml({reinterpret_cast<const char*>(data), size});
  if (!table) return 0;
  const std::string text = to_yaml(*table);
  const auto again = from_yaml(text);
  TIDEGATE_ASSERT(again && to_yaml(*again) == text);
  compile(std::make_shared<const Table>(*table));
  return 0;
}
