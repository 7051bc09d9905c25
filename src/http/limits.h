// SPDX-License-Identifier: Apache-2.0
// Bounds of the codecs, each with its reason. A listener may lower or raise them.
#pragma once

#include <cstddef>

namespace tidegate::http {

struct Limits {
  std::size_t start_line_bytes = 16 * 1024;  // nginx allows 8 KiB; long OAuth redirects exceed that
  std::size_t header_bytes =
      64 * 1024;  // Envoy's edge guide; counted with 32 bytes added for each field, as HPACK does
  std::size_t header_count = 128;  // Envoy 100, HAProxy 101; crumbled cookies count each
  std::size_t chunk_extension_bytes =
      1024;  // for a whole body: extensions carry nothing that we use (CVE-2023-39326)
  std::size_t trailer_bytes = 8 * 1024;
};

}  // namespace tidegate::http
