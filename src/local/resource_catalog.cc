// SPDX-License-Identifier: Apache-2.0
#include "local/resource_catalog.h"

#include <algorithm>

#include "local/api_calls.h"

namespace tidegate::local {

Task<Result<void>> ResourceCatalog::refresh(std::shared_ptr<ResourceCatalog> self, kube::Client& client) {
  const std::string root = "/apis";
  const auto groups = co_await get_document(client, root);
  if (!groups) co_return groups.error();
  std::vector<std::string> paths = {"/api/v1"};
  for (const auto& group_version : parse_group_list(*groups)) paths.push_back("/apis/" + group_version);
  std::vector<ServedResource> served;
  for (const auto& path : paths) {
    const auto list = co_await get_document(client, path);
    if (!list) co_return list.error();
    for (auto& resource : parse_resource_list(*list)) served.push_back(std::move(resource));
  }
  self->set(served);
  co_return Result<void>();
}

void ResourceCatalog::set(const std::vector<ServedResource>& served) {
  current_.clear();
  for (const auto& resource : served) {
    auto it = std::find(names_.begin(), names_.end(), resource);
    if (it == names_.end()) it = names_.insert(names_.end(), resource);
    current_.push_back({it->group, it->version, it->plural, it->kind, it->namespaced});
  }
}

const api::Resource* ResourceCatalog::find(std::string_view api_version, std::string_view kind) const {
  const auto slash = api_version.find('/');
  const std::string_view group =
      slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
  for (const auto& resource : current_) {
    if (resource.group == group && resource.kind == kind)
      return &resource;  // whatever the version: it is the same object
  }
  return nullptr;
}

}  // namespace tidegate::local
