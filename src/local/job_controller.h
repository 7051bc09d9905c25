// SPDX-License-Identifier: Apache-2.0
// Runs each Job's pods to their end. Thread: control. Owns: its work queue. What to do is decided by
// job_plan.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kube/workqueue.h"
#include "local/cluster.h"
#include "local/job_plan.h"

namespace tidegate::local {

class JobController : public std::enable_shared_from_this<JobController> {
 public:
  static std::shared_ptr<JobController> make(Cluster& cluster);
  void start() { queue_->start(); }
  void stop() { queue_.reset(); }

 private:
  explicit JobController(Cluster& cluster) : cluster_(cluster) {}
  static Task<kube::ReconcileResult> reconcile(std::shared_ptr<JobController> self, api::Key key);
  static Task<Result<void>> select_pods(std::shared_ptr<JobController> self,
                                        std::shared_ptr<const api::Object> job);
  static Task<Result<void>> create_pods(std::shared_ptr<JobController> self,
                                        std::shared_ptr<const api::Object> job,
                                        std::vector<std::string> names);
  static Task<Result<void>> remove_pods(std::shared_ptr<JobController> self,
                                        std::shared_ptr<const api::Object> job,
                                        std::vector<std::string> names);
  static Task<Result<void>> write_status(std::shared_ptr<JobController> self,
                                         std::shared_ptr<const api::Object> job, JobStatus status);

  std::vector<std::shared_ptr<const PodObject>> pods_of(const api::Meta& job) const;

  Cluster& cluster_;
  std::unique_ptr<kube::WorkQueue> queue_;
};

}  // namespace tidegate::local
