// SPDX-License-Identifier: Apache-2.0
// Empties namespaces that are being deleted, then takes the finalizer "kubernetes" off them. Thread: control.
// Owns: its work queue.
#pragma once

#include <memory>

#include "kube/workqueue.h"
#include "local/cluster.h"
#include "local/resource_catalog.h"

namespace tidegate::local {

class NamespaceController : public std::enable_shared_from_this<NamespaceController> {
 public:
  static std::shared_ptr<NamespaceController> make(Cluster& cluster,
                                                   std::shared_ptr<ResourceCatalog> catalog);
  void start() { queue_->start(); }
  void stop() { queue_.reset(); }

 private:
  NamespaceController(Cluster& cluster, std::shared_ptr<ResourceCatalog> catalog)
      : cluster_(cluster), catalog_(std::move(catalog)) {}
  static Task<kube::ReconcileResult> reconcile(std::shared_ptr<NamespaceController> self, api::Key key);
  // How many objects are left; those that are not being deleted yet are deleted.
  static Task<Result<std::size_t>> empty(std::shared_ptr<NamespaceController> self, api::Resource resource,
                                         std::string ns);
  static Task<Result<void>> finalize(std::shared_ptr<NamespaceController> self,
                                     std::shared_ptr<const api::Object> ns);

  Cluster& cluster_;
  std::shared_ptr<ResourceCatalog> catalog_;
  std::unique_ptr<kube::WorkQueue> queue_;
};

}  // namespace tidegate::local
