// SPDX-License-Identifier: Apache-2.0
// Bounds of the codecs, each with its reason. A listener may lower or raise them.
#pragma once

#include <cstddef>
#include <cstdint>

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

// So many at once, and so many a second over time.
struct Rate {
  double burst;
  double per_second;
};

// Of one HTTP/2 connection. Debian's nghttp2 1.52 bounds SETTINGS entries and queued acknowledgements; what
// follows it leaves to us. Passing a rate ends the connection with
// ENHANCE_YOUR_CALM.
struct H2Limits {
  std::uint32_t concurrent_streams = 100;         // Envoy's edge guide
  std::uint32_t stream_window = 64 * 1024 - 1;    // the same: a paused stream holds no more than this
  std::uint32_t connection_window = 1024 * 1024;  // the same
  std::size_t flood_factor =
      4;  // a header block this many times too large ends the connection, not the stream
  std::size_t continuations = 16;  // of a header block (CVE-2024-27316); 5 frames hold the largest we take
  int interims = 32;               // 1xx heads of one exchange; early hints come once or twice
  Rate resets{500, 50};        // rapid reset (CVE-2023-44487); a page left by its reader cancels about 100
  Rate own_resets{100, 10};    // that the peer's errors make us send (MadeYouReset, CVE-2025-8671)
  Rate pings{100, 10};         // CVE-2019-9512; beyond one for each DATA frame of ours: keep-alive in seconds
  Rate settings{100, 10};      // CVE-2019-9515; gRPC's libraries change their windows as they measure
  Rate empty_frames{100, 10};  // CVE-2019-9518: DATA without data or end
  Rate priorities{500, 50};    // CVE-2019-9513; ignored, yet sent by older browsers for each stream
  Rate window_updates{2000, 200};  // beyond two for each DATA frame of ours, which is what they answer
};

}  // namespace tidegate::http
