// SPDX-License-Identifier: Apache-2.0
// Writes the EndpointSlices of Services that have a selector. Thread: control. Owns: its work queue. What
// they hold is decided by slice_plan.h.
#pragma once

#include <memory>

#include "kube/workqueue.h"
#include "local/cluster.h"

namespace tidegate::local {

class EndpointSliceController : public std::enable_shared_from_this<EndpointSliceController> {
 public:
  static std::shared_ptr<EndpointSliceController> make(Cluster& cluster);
  void start() { queue_->start(); }
  void stop() { queue_.reset(); }

 private:
  explicit EndpointSliceController(Cluster& cluster) : cluster_(cluster) {}
  static Task<kube::ReconcileResult> reconcile(std::shared_ptr<EndpointSliceController> self, api::Key key);
  static Task<Result<void>> write(std::shared_ptr<EndpointSliceController> self, Json slice);
  static Task<Result<void>> remove_all_but(std::shared_ptr<EndpointSliceController> self, api::Key service,
                                           std::vector<Json> kept);
  void enqueue_services(const std::string& ns);

  Cluster& cluster_;
  std::unique_ptr<kube::WorkQueue> queue_;
};

}  // namespace tidegate::local
