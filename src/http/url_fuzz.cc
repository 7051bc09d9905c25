// SPDX-License-Identifier: Apache-2.0
// What is taken as an address can be sent, and reads back the same once it is put together from its parts.
#include "base/assert.h"
#include "http/chars.h"
#include "http/url.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tidegate::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = parse_url(text);
  if (!url) return 0;
  TIDEGATE_ASSERT(!url->host.empty() && url->authority.find('@') == std::string_view::npos);
  TIDEGATE_ASSERT(url->target.front() == '/' && all(url->target, kTargetChar));
  const auto whole = (url->tls ? "https://" : "http://") + std::string(url->authority) + url->target;
  const auto again = parse_url(whole);
  TIDEGATE_ASSERT(again && again->tls == url->tls && again->authority == url->authority);
  TIDEGATE_ASSERT(again->host == url->host && again->port == url->port && again->target == url->target);
  return 0;
}
