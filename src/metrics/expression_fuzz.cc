// SPDX-License-Identifier: Apache-2.0
// Conditions are people's text: whatever they write parses or is refused, and evaluates or is refused.
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "metrics/expression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tidegate::metrics::Expression;
  const auto parsed = Expression::parse({reinterpret_cast<const char*>(data), size});
  if (!parsed) return 0;
  const double values[] = {0.95, std::nan(""), -1e300};
  for (std::size_t count = 0; count <= 3; ++count) {
    const auto once = parsed->holds({values, count});
    const auto again = parsed->holds({values, count});
    if (once.has_value() != again.has_value() || (once && *once != *again)) __builtin_trap();
  }
  return 0;
}
