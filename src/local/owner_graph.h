// SPDX-License-Identifier: Apache-2.0
// Who owns whom, by uid, and what follows from it: Kubernetes' garbage collection rules. Thread: none; pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/object.h"

namespace tidegate::local {

inline constexpr std::string_view kForegroundFinalizer = "foregroundDeletion";
inline constexpr std::string_view kOrphanFinalizer = "orphan";

bool has_finalizer(const api::Meta& meta, std::string_view finalizer);

struct GraphNode {
  api::Resource resource;
  api::Meta meta;
};

class OwnerGraph {
 public:
  void put(GraphNode node);
  void remove(const std::string& uid);
  const GraphNode* find(const std::string& uid) const;
  std::set<std::string> dependents(const std::string& uid) const;

 private:
  std::map<std::string, GraphNode> nodes_;
  std::map<std::string, std::set<std::string>> dependents_;  // of an owner that may be unknown
};

struct Collection {
  enum class Kind {
    kNothing,
    kTellDependents,     // the object is gone: look at each of `uids`
    kDelete,             // no owner is left, once `unknown` have been looked for in vain
    kDeleteDependents,   // foreground deletion: `uids` first
    kReleaseForeground,  // nothing is left that blocks it: take the finalizer off
    kOrphan,             // take the references off `uids`, then the finalizer off the object
  };
  Kind kind = Kind::kNothing;
  std::vector<std::string> uids;
  std::vector<api::OwnerReference> unknown;
};
Collection plan_collection(const OwnerGraph& graph, const std::string& uid);

}  // namespace tidegate::local
