// SPDX-License-Identifier: Apache-2.0
// Brings the items of a list that `order` names into that order, in the places they already take; other items
// stay where they are. So a client's order holds among its own items without moving anyone else's. Items are
// named by `identity`. Pure. Thread: any.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"

namespace tidegate::apiserver::schema {

void reorder(Json& list, const std::vector<std::string>& order,
             const std::function<std::string(const Json&)>& identity);

}  // namespace tidegate::apiserver::schema
