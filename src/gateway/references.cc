// SPDX-License-Identifier: Apache-2.0
#include "gateway/references.h"

#include <algorithm>

namespace tidegate::gateway {
namespace {

bool grants(const api::ReferenceGrant& grant, const ReferenceFrom& from, const api::ObjectReference& to) {
  return std::any_of(grant.from.begin(), grant.from.end(),
                     [&](const auto& f) {
                       return f.group == from.group && f.kind == from.kind && f.ns == from.ns;
                     }) &&
         std::any_of(grant.to.begin(), grant.to.end(), [&](const auto& t) {
           return t.group == to.group && t.kind == to.kind && (t.name.empty() || t.name == to.name);
         });
}

}  // namespace

bool is_permitted(const Snapshots<api::ReferenceGrant>& all, const ReferenceFrom& from,
                  const api::ObjectReference& to) {
  if (from.ns == to.ns) return true;
  for (auto it = all.lower_bound({to.ns, ""}); it != all.end() && it->first.ns == to.ns; ++it) {
    if (grants(*it->second, from, to)) return true;
  }
  return false;
}

}  // namespace tidegate::gateway
