// SPDX-License-Identifier: Apache-2.0
// A watch's body cut into lines, one event each, however it was split into chunks. Bounded. Thread: none;
// pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace tidegate::kube {

class WatchLines {
 public:
  explicit WatchLines(std::size_t max_line) : max_line_(max_line) {}

  // The lines that `data` completes, without their ends and without empty ones. kLimit, and again from then
  // on, once a line is too long.
  Result<std::vector<std::string>> feed(std::string_view data);

 private:
  std::size_t max_line_;
  std::string partial_;
  bool overrun_ = false;
};

struct WatchEvent {
  std::string type;  // ADDED, MODIFIED, DELETED, BOOKMARK, ERROR
  Json object;
};
// kInternal where the line is not such an event.
Result<WatchEvent> parse_watch_event(std::string_view line);

}  // namespace tidegate::kube
