// SPDX-License-Identifier: Apache-2.0
// Discovery documents of a Kubernetes API, read. Thread: none; pure, total.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "base/json.h"

namespace tidegate::local {

struct ServedResource {
  std::string group, version, plural, kind;
  bool namespaced = true;
  friend auto operator<=>(const ServedResource&, const ServedResource&) = default;
};

// An APIResourceList: what can be listed, watched and deleted; without subresources and without Events, which
// own nothing.
std::vector<ServedResource> parse_resource_list(const Json& list);
// An APIGroupList: the preferred group versions, "apps/v1".
std::vector<std::string> parse_group_list(const Json& list);

}  // namespace tidegate::local
