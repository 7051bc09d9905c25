// SPDX-License-Identifier: Apache-2.0
#include "apiserver/cel/functions.h"

#include <map>

namespace tidegate::apiserver::cel {
namespace {

using Table = std::multimap<std::string_view, Overload>;

Table make_table() {
  Table table;
  for (const auto rows : {operator_rows(), ordering_rows(), conversion_rows(), text_rows(), collection_rows(),
                          time_rows(), quantity_rows(), network_rows(), format_rows()}) {
    for (const Row& row : rows) table.emplace(row.name, Overload{row, parse_signature(row.signature)});
  }
  return table;
}

bool matches(char parameter, Kind kind) {
  if (parameter == 'A' || parameter == 'B' || parameter == kDyn) return true;
  if (parameter == '#') return kind == kInt || kind == kUint || kind == kDouble;
  return parameter == kind;
}

}  // namespace

std::vector<const Overload*> overloads(std::string_view name, bool member) {
  static const Table kTable = make_table();
  std::vector<const Overload*> found;
  const auto [first, last] = kTable.equal_range(name);
  for (auto it = first; it != last; ++it) {
    if (it->second.row.form.find(member ? 'm' : 'g') != std::string_view::npos) found.push_back(&it->second);
  }
  return found;
}

bool takes(const Overload& overload, Arguments arguments) {
  const auto& parameters = overload.signature.parameters;
  if (parameters.size() != arguments.size()) return false;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!matches(parameters[i].kind, arguments[i].kind())) return false;
  }
  return true;
}

}  // namespace tidegate::apiserver::cel
