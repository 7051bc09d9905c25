// SPDX-License-Identifier: Apache-2.0
// Whether a reference may cross into another namespace: only where a ReferenceGrant there says so. Thread:
// none; pure.
#pragma once

#include "gateway/cluster_state.h"

namespace tidegate::gateway {

// `from`: the namespace and kind of the object that refers; `to`: what it refers to, with its namespace
// filled in. Within one namespace: always.
struct ReferenceFrom {
  std::string_view group, kind, ns;
};
bool is_permitted(const Snapshots<api::ReferenceGrant>& grants, const ReferenceFrom& from,
                  const api::ObjectReference& to);

}  // namespace tidegate::gateway
