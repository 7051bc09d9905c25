// SPDX-License-Identifier: Apache-2.0
// An address that is taken reads the same after it was written.
#include "base/assert.h"
#include "net/stream.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tidegate::net;
  const auto address = parse_address({reinterpret_cast<const char*>(data), size});
  if (!address) return 0;
  const auto again = parse_address(to_string(*address));
  TIDEGATE_ASSERT(again.has_value() && *again == *address);
  return 0;
}
