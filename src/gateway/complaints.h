// SPDX-License-Identifier: Apache-2.0
// Tells problems as Events: one Warning an object, and again only when what is wrong with it has changed.
// Thread: control.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gateway/problems.h"
#include "gateway/stores.h"

namespace tidegate::gateway {

class Complaints {
 public:
  using Tell = std::function<void(const api::Resource&, const api::Meta&, std::string_view reason,
                                  std::string_view message)>;
  explicit Complaints(Tell tell) : tell_(std::move(tell)) {}

  // All problems that there are now; warnings, which turn no condition false, are not told.
  void update(const std::vector<Problem>& problems, const Stores& stores);

 private:
  using ObjectId = std::pair<std::string, api::Key>;  // kind, key

  void tell(const ObjectId& id, const Problem& first, const std::string& text, const Stores& stores) const;

  Tell tell_;
  std::map<ObjectId, std::string> told_;
};

}  // namespace tidegate::gateway
