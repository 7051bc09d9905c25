// SPDX-License-Identifier: Apache-2.0
#include "local/served_resource.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tidegate::local {

std::vector<ServedResource> parse_resource_list(const Json& list) {
  std::vector<ServedResource> out;
  const std::string group_version = json::string_at(list, "groupVersion");
  const auto slash = group_version.find('/');
  const std::string group = slash == std::string::npos ? "" : group_version.substr(0, slash);
  const std::string version = slash == std::string::npos ? group_version : group_version.substr(slash + 1);
  for (const auto& item : json::array_at(list, "resources")) {
    const std::string name = json::string_at(item, "name");
    const Json& verbs = json::array_at(item, "verbs");
    const auto can = [&](std::string_view verb) {
      return std::find(verbs.begin(), verbs.end(), Json(verb)) != verbs.end();
    };
    if (name.empty() || name.find('/') != std::string::npos || name == "events") continue;
    if (!can("list") || !can("watch") || !can("delete")) continue;
    out.push_back({group, version, name, json::string_at(item, "kind"), json::bool_at(item, "namespaced")});
  }
  return out;
}

std::vector<std::string> parse_group_list(const Json& list) {
  std::vector<std::string> out;
  for (const auto& group : json::array_at(list, "groups")) {
    std::string preferred = json::string_at(group, "preferredVersion.groupVersion");
    if (preferred.empty()) preferred = json::string_at(group, "/versions/0/groupVersion");
    if (!preferred.empty()) out.push_back(std::move(preferred));
  }
  return out;
}

}  // namespace tidegate::local
