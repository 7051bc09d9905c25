// SPDX-License-Identifier: Apache-2.0
// The kinds that the API server serves, by its own discovery: garbage collection and namespace deletion must
// know kinds that this program does not. Thread: control. Owns: the names that the api::Resource values refer
// to; what was once known stays in memory (bounded by the CRDs).
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "kube/client.h"
#include "local/served_resource.h"

namespace tidegate::local {

class ResourceCatalog {
 public:
  static Task<Result<void>> refresh(std::shared_ptr<ResourceCatalog> self, kube::Client& client);

  const std::vector<api::Resource>& all() const { return current_; }
  const api::Resource* find(std::string_view api_version, std::string_view kind) const;

 private:
  void set(const std::vector<ServedResource>& served);
  std::deque<ServedResource> names_;  // never moved
  std::vector<api::Resource> current_;
};

}  // namespace tidegate::local
