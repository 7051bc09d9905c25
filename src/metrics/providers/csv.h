// SPDX-License-Identifier: Apache-2.0
// Comma-separated values (RFC 4180): rows of cells; lines end with CR LF or LF. An empty line is a row of one
// empty cell. Total. Thread: none; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::metrics::providers {

using CsvRow = std::vector<std::string>;

// Nothing where a quoted cell does not end, or goes on after its quote.
std::optional<std::vector<CsvRow>> parse_csv(std::string_view text);

}  // namespace tidegate::metrics::providers
