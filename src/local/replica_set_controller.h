// SPDX-License-Identifier: Apache-2.0
// Keeps as many pods as each ReplicaSet asks for. Thread: control. Owns: its work queue. What to do is
// decided by replica_plan.h.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "kube/workqueue.h"
#include "local/cluster.h"
#include "local/replica_plan.h"

namespace tidegate::local {

class ReplicaSetController : public std::enable_shared_from_this<ReplicaSetController> {
 public:
  static std::shared_ptr<ReplicaSetController> make(Cluster& cluster);
  void start() { queue_->start(); }
  void stop() { queue_.reset(); }

 private:
  explicit ReplicaSetController(Cluster& cluster) : cluster_(cluster) {}
  static Task<kube::ReconcileResult> reconcile(std::shared_ptr<ReplicaSetController> self, api::Key key);
  static Task<Result<void>> create_pods(std::shared_ptr<ReplicaSetController> self,
                                        std::shared_ptr<const api::Object> set, std::int32_t count);
  static Task<Result<void>> remove_pods(std::shared_ptr<ReplicaSetController> self,
                                        std::shared_ptr<const api::Object> set,
                                        std::vector<std::string> names);
  static Task<Result<void>> write_status(std::shared_ptr<ReplicaSetController> self,
                                         std::shared_ptr<const api::Object> set, ReplicaStatus status);

  void enqueue_owner(const api::Meta& pod);
  std::vector<const api::Pod*> pods_of(const api::Meta& set) const;
  std::int32_t expected(const api::Meta& set);
  std::string fresh_name(const api::Meta& set);

  Cluster& cluster_;
  std::unique_ptr<kube::WorkQueue> queue_;
  // Pods that were made and that the store does not show yet, by the set's uid: without them the next look
  // would make them again.
  std::map<std::string, std::map<std::string, TimePoint>> expected_;
  std::uint64_t named_ = 0;
};

}  // namespace tidegate::local
