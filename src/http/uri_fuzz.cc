// SPDX-License-Identifier: Apache-2.0
// Paths normalise to a fixed point without anything that a second parser could read otherwise.
#include "base/assert.h"
#include "http/uri.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tidegate::http;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TIDEGATE_ASSERT(!is_plain_path(text) || normalize_path(text) == text);
  if (const auto path = normalize_path(text)) {
    TIDEGATE_ASSERT(path->front() == '/' && normalize_path(*path) == path);
    TIDEGATE_ASSERT(("/" + *path + "/").find("/../") == std::string::npos &&
                    path->find('\\') == std::string::npos);
  }
  TIDEGATE_ASSERT(percent_decode(percent_encode(text)) == std::string(text));
  parse_query(text);
  if (const auto parts = parse_authority(text)) TIDEGATE_ASSERT(!parts->host.empty());
  return 0;
}
