// SPDX-License-Identifier: Apache-2.0
#include "metrics/providers/csv.h"

#include <algorithm>

namespace tidegate::metrics::providers {
namespace {

// The cell at the front of `text`, which then begins with what ended it.
std::optional<std::string> take_cell(std::string_view& text) {
  if (!text.starts_with('"')) {
    const auto end = std::min(text.find_first_of(",\r\n"), text.size());
    std::string cell(text.substr(0, end));
    text.remove_prefix(end);
    return cell;
  }
  std::string cell;
  for (text.remove_prefix(1); !text.empty(); text.remove_prefix(1)) {
    if (text.front() == '"') {
      text.remove_prefix(1);
      if (!text.starts_with('"')) return cell;
    }
    cell += text.front();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<CsvRow>> parse_csv(std::string_view text) {
  std::vector<CsvRow> rows;
  while (!text.empty()) {
    auto& row = rows.emplace_back();
    while (true) {
      auto cell = take_cell(text);
      if (!cell) return std::nullopt;
      row.push_back(std::move(*cell));
      if (!text.starts_with(',')) break;
      text.remove_prefix(1);
    }
    if (text.starts_with('\r')) text.remove_prefix(1);
    if (text.starts_with('\n')) {
      text.remove_prefix(1);
    } else if (!text.empty()) {
      return std::nullopt;
    }
  }
  return rows;
}

}  // namespace tidegate::metrics::providers
