// SPDX-License-Identifier: Apache-2.0
// Deletes what has lost its owners, in the background or before its owner (foreground), or sets it free
// (orphan), for every kind that the API server serves. Thread: control. Owns: a watch a kind, metadata only
// in memory. What to do is decided by owner_graph.h.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "kube/reflector.h"
#include "kube/store.h"
#include "kube/workqueue.h"
#include "local/owner_graph.h"
#include "local/resource_catalog.h"

namespace tidegate::local {

class GarbageCollector : public std::enable_shared_from_this<GarbageCollector> {
 public:
  static std::shared_ptr<GarbageCollector> make(asio::io_context& io, Scheduler& scheduler,
                                                kube::Client& client,
                                                std::shared_ptr<ResourceCatalog> catalog);
  void start();
  void stop();

 private:
  struct MetaObject {
    api::Meta meta;
  };
  struct Watched {
    std::unique_ptr<kube::Store<MetaObject>> store;
    std::unique_ptr<kube::Reflector> reflector;  // destroyed before the store
  };
  GarbageCollector(asio::io_context& io, Scheduler& scheduler, kube::Client& client,
                   std::shared_ptr<ResourceCatalog> catalog)
      : io_(io), scheduler_(scheduler), client_(client), catalog_(std::move(catalog)) {}

  static Task<void> refresh_kinds(std::shared_ptr<GarbageCollector> self);
  static Task<kube::ReconcileResult> reconcile(std::shared_ptr<GarbageCollector> self, api::Key uid);
  static Task<Result<bool>> exists(std::shared_ptr<GarbageCollector> self, api::OwnerReference owner,
                                   std::string ns);
  static Task<Result<void>> remove(std::shared_ptr<GarbageCollector> self, std::string uid);
  static Task<Result<void>> release(std::shared_ptr<GarbageCollector> self, std::string uid,
                                    std::string finalizer);
  static Task<Result<void>> disown(std::shared_ptr<GarbageCollector> self, std::string uid,
                                   std::string owner);
  void refresh_soon();
  void watch_kinds();
  void changed(const api::Resource& resource, const MetaObject* old, const MetaObject* now);
  void enqueue(const std::string& uid);

  asio::io_context& io_;
  Scheduler& scheduler_;
  kube::Client& client_;
  std::shared_ptr<ResourceCatalog> catalog_;
  std::unique_ptr<kube::WorkQueue> queue_;
  std::map<std::string, Watched> watched_;  // by path
  OwnerGraph graph_;
  std::unique_ptr<Scheduler::Timer> refresh_timer_;
  bool refreshing_ = false, refresh_again_ = false, stopped_ = false;
};

}  // namespace tidegate::local
