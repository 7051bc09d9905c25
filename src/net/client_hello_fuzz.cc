// SPDX-License-Identifier: Apache-2.0
// Byte by byte says the same as all at once; what is asked for is more than there is, and within the bound.
#include <algorithm>

#include "base/assert.h"
#include "net/client_hello.h"
#include "net/limits.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tidegate::net;
  using State = ClientHello::State;
  const std::string_view bytes(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 4096));
  const auto whole = parse_client_hello(bytes);
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const auto part = parse_client_hello(bytes.substr(0, length));
    if (part.state == State::kMore) {
      TIDEGATE_ASSERT(part.needed > length && part.needed <= kClientHelloBytes);
      TIDEGATE_ASSERT(part.needed <= bytes.size() || whole.state != State::kComplete);
      continue;
    }
    TIDEGATE_ASSERT(part.state == whole.state && part.server_name == whole.server_name);
    return 0;
  }
  TIDEGATE_ASSERT(whole.state == State::kMore);
  return 0;
}
