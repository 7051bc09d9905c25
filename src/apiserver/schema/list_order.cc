// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/list_order.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace tidegate::apiserver::schema {

void reorder(Json& list, const std::vector<std::string>& order,
             const std::function<std::string(const Json&)>& identity) {
  std::map<std::string, std::size_t> rank;
  for (std::size_t i = 0; i < order.size(); ++i) rank.try_emplace(order[i], i);
  std::vector<std::size_t> places;
  std::vector<std::pair<std::size_t, Json>> items;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto found = rank.find(identity(list[i]));
    if (found == rank.end()) continue;
    places.push_back(i);
    items.emplace_back(found->second, list[i]);
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < places.size(); ++i) list[places[i]] = std::move(items[i].second);
}

}  // namespace tidegate::apiserver::schema
