// SPDX-License-Identifier: Apache-2.0
// A watch's bytes give the same lines however they are split, and no line makes the decoders of events and
// refusals stumble. The first byte chooses the split.
#include <cstdint>

#include "base/assert.h"
#include "kube/status.h"
#include "kube/watch_lines.h"

namespace kube = tidegate::kube;

namespace {
constexpr std::size_t kMaxLine = 4096;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] % 32 + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = kube::WatchLines(kMaxLine).feed(bytes);
  kube::WatchLines split(kMaxLine);
  std::vector<std::string> lines;
  bool refused = false;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    auto some = split.feed(bytes.substr(at, step));
    refused |= !some;
    if (some) lines.insert(lines.end(), some->begin(), some->end());
  }
  TIDEGATE_ASSERT(refused == !whole);
  if (whole) TIDEGATE_ASSERT(lines == *whole);
  for (const auto& line : lines) {
    const auto event = kube::parse_watch_event(line);
    if (event && event->type == "ERROR")
      TIDEGATE_ASSERT(!kube::status_error(event->object, 500).detail.empty());
    TIDEGATE_ASSERT(!kube::read_refusal(500, {}, line).error.detail.empty());
  }
  return 0;
}
