// SPDX-License-Identifier: Apache-2.0
// Which streams a client may not open any more (RFC 9113 sections 5.1 and 5.1.1): nghttp2 forgets streams
// once they are closed, and ignores such HEADERS. What we reset ourselves is not held against a client, which
// may not have heard of it yet. Remembers the last streams only. Thread: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tidegate::http {

class H2StreamIds {
 public:
  enum class Verdict : std::uint8_t {
    kFine,
    kClosed,   // the client ended or reset this stream itself
    kSkipped,  // it opened a later one instead of this
  };

  Verdict on_headers(std::int32_t id);  // on a stream that is not open
  void ended_by_client(std::int32_t id) { ended_.add(id); }

 private:
  static constexpr std::size_t kRemembered = 64;

  struct Ring {
    std::array<std::int32_t, kRemembered> ids{};
    std::size_t next = 0;
    void add(std::int32_t id) {
      ids[next++ % kRemembered] = id;
    }
    bool contains(std::int32_t id) const {
      for (const auto known : ids) {
        if (known == id) return true;
      }
      return false;
    }
  };
  Ring ended_, skipped_;
  std::int32_t last_ = -1;  // that HEADERS opened
};

inline H2StreamIds::Verdict H2StreamIds::on_headers(std::int32_t id) {
  if (id <= last_) {
    if (ended_.contains(id)) return Verdict::kClosed;
    return skipped_.contains(id) ? Verdict::kSkipped : Verdict::kFine;
  }
  // A client's streams are odd. Of a wide gap the nearest are remembered.
  constexpr auto kWidest = static_cast<std::int32_t>(2 * kRemembered);
  for (auto skipped = last_ < id - kWidest ? id - kWidest : last_ + 2; skipped < id; skipped += 2)
    skipped_.add(skipped);
  last_ = id;
  return Verdict::kFine;
}

}  // namespace tidegate::http
