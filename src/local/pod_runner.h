// SPDX-License-Identifier: Apache-2.0
// Runs the Pods of this node: one PodWorker each, following the store. Thread: control. Owns: the workers.
#pragma once

#include <map>
#include <memory>

#include "kube/store.h"
#include "local/pod_worker.h"

namespace tidegate::local {

class PodRunner {
 public:
  // Listens to `pods` from now on; both outlive it.
  PodRunner(PodHost& host, kube::Store<PodObject>& pods);
  ~PodRunner();

  Task<void> stop(Duration longest_grace);  // all processes; the objects stay

 private:
  using PodPtr = std::shared_ptr<const PodObject>;
  void changed(const PodPtr& old, const PodPtr& now);
  void forget(const api::Meta& meta);
  bool all_stopped() const;

  PodHost& host_;
  std::map<api::Key, std::shared_ptr<PodWorker>> workers_;
  bool stopping_ = false;
};

}  // namespace tidegate::local
