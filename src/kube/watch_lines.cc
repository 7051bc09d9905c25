// SPDX-License-Identifier: Apache-2.0
#include "kube/watch_lines.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "kube/limits.h"

namespace tidegate::kube {

Result<std::vector<std::string>> WatchLines::feed(std::string_view data) {
  std::vector<std::string> lines;
  while (!overrun_ && !data.empty()) {
    const auto end = data.find('\n');
    const auto part = data.substr(0, end);
    overrun_ = partial_.size() + part.size() > max_line_;
    if (overrun_) break;
    partial_ += part;
    if (end == std::string_view::npos) return lines;
    data.remove_prefix(end + 1);
    auto line = std::exchange(partial_, {});
    if (!text::trim(line).empty()) lines.push_back(std::move(line));
  }
  if (!overrun_) return lines;
  partial_ = {};
  return Error{ErrorCode::kLimit, "an event is longer than " + std::to_string(max_line_) + " bytes"};
}

Result<WatchEvent> parse_watch_event(std::string_view line) {
  static constexpr std::array<std::string_view, 5> kTypes{"ADDED", "MODIFIED", "DELETED", "BOOKMARK",
                                                          "ERROR"};
  auto document = json::parse(line, kMaxWatchLine);
  if (!document) return Error{ErrorCode::kInternal, "a watch event is not JSON: " + document.error().detail};
  auto type = json::string_at(*document, "type");
  if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
    return Error{ErrorCode::kInternal, "a watch event has the type \"" + type.substr(0, 64) +
                                           "\", expected ADDED, " + "MODIFIED, DELETED, BOOKMARK or ERROR"};
  }
  auto object = document->find("object");
  if (object == document->end() || !object->is_object()) {
    return Error{ErrorCode::kInternal, "a watch event of type " + type + " has no object"};
  }
  return WatchEvent{std::move(type), std::move(*object)};
}

}  // namespace tidegate::kube
