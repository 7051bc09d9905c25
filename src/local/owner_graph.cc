// SPDX-License-Identifier: Apache-2.0
#include "local/owner_graph.h"

#include <algorithm>

namespace tidegate::local {

bool has_finalizer(const api::Meta& meta, std::string_view finalizer) {
  return std::find(meta.finalizers.begin(), meta.finalizers.end(), finalizer) != meta.finalizers.end();
}

void OwnerGraph::put(GraphNode node) {
  const std::string uid = node.meta.uid;
  remove(uid);
  for (const auto& owner : node.meta.owners) dependents_[owner.uid].insert(uid);
  nodes_.insert_or_assign(uid, std::move(node));
}

void OwnerGraph::remove(const std::string& uid) {
  const auto it = nodes_.find(uid);
  if (it == nodes_.end()) return;
  for (const auto& owner : it->second.meta.owners) {
    const auto entry = dependents_.find(owner.uid);
    if (entry == dependents_.end()) continue;
    entry->second.erase(uid);
    if (entry->second.empty()) dependents_.erase(entry);
  }
  nodes_.erase(it);
}

const GraphNode* OwnerGraph::find(const std::string& uid) const {
  const auto it = nodes_.find(uid);
  return it == nodes_.end() ? nullptr : &it->second;
}

std::set<std::string> OwnerGraph::dependents(const std::string& uid) const {
  const auto it = dependents_.find(uid);
  return it == dependents_.end() ? std::set<std::string>() : it->second;
}

namespace {

Collection plan_deleted(const GraphNode& node, const std::set<std::string>& dependents) {
  const std::vector<std::string> uids(dependents.begin(), dependents.end());
  if (has_finalizer(node.meta, kOrphanFinalizer)) return {Collection::Kind::kOrphan, uids, {}};
  if (!has_finalizer(node.meta, kForegroundFinalizer)) return {};
  if (uids.empty()) return {Collection::Kind::kReleaseForeground, {}, {}};
  return {Collection::Kind::kDeleteDependents, uids, {}};
}

}  // namespace

Collection plan_collection(const OwnerGraph& graph, const std::string& uid) {
  const auto dependents = graph.dependents(uid);
  const GraphNode* node = graph.find(uid);
  if (!node) {
    if (dependents.empty()) return {};
    return {Collection::Kind::kTellDependents, {dependents.begin(), dependents.end()}, {}};
  }
  if (node->meta.deleted) return plan_deleted(*node, dependents);
  if (node->meta.owners.empty()) return {};
  Collection plan{Collection::Kind::kDelete, {}, {}};
  for (const auto& owner : node->meta.owners) {
    const GraphNode* held = graph.find(owner.uid);
    if (!held) {
      plan.unknown.push_back(owner);
      continue;
    }
    const bool waits_for_us = held->meta.deleted && has_finalizer(held->meta, kForegroundFinalizer);
    if (!waits_for_us) return {};
  }
  return plan;
}

}  // namespace tidegate::local
