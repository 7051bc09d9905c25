// SPDX-License-Identifier: Apache-2.0
// Turns Deployments into ReplicaSets, one per pod template, and moves replicas from the old to the fresh one.
// Thread: control. Owns: its work queue. How many go where is decided by deployment_plan.h; what is written
// by deployment_objects.h.
#pragma once

#include <memory>
#include <vector>

#include "kube/workqueue.h"
#include "local/cluster.h"
#include "local/deployment_plan.h"

namespace tidegate::local {

class DeploymentController : public std::enable_shared_from_this<DeploymentController> {
 public:
  static std::shared_ptr<DeploymentController> make(Cluster& cluster);
  void start() { queue_->start(); }
  void stop() { queue_.reset(); }

 private:
  using ObjectPtr = std::shared_ptr<const api::Object>;
  struct Sets {
    ObjectPtr fresh;             // null: to be made
    std::vector<ObjectPtr> old;  // oldest first
  };

  explicit DeploymentController(Cluster& cluster) : cluster_(cluster) {}
  static Task<kube::ReconcileResult> reconcile(std::shared_ptr<DeploymentController> self, api::Key key);
  static Task<Result<void>> make_fresh(std::shared_ptr<DeploymentController> self, ObjectPtr deployment,
                                       DeploymentSpec spec, Sets sets);
  static Task<Result<void>> note_revision(std::shared_ptr<DeploymentController> self, ObjectPtr deployment,
                                          Sets sets);
  static Task<Result<void>> scale(std::shared_ptr<DeploymentController> self, ObjectPtr deployment,
                                  std::vector<Scale> scales);
  static Task<Result<void>> remove_history(std::shared_ptr<DeploymentController> self, DeploymentSpec spec,
                                           Sets sets);
  static Task<Result<void>> write_status(std::shared_ptr<DeploymentController> self, ObjectPtr deployment,
                                         DeploymentSpec spec, Sets sets);
  Sets sets_of(const api::Object& deployment, const DeploymentSpec& spec) const;

  Cluster& cluster_;
  std::unique_ptr<kube::WorkQueue> queue_;
};

}  // namespace tidegate::local
