// SPDX-License-Identifier: Apache-2.0
// What the small controllers share: the API client and the stores of what they read. Thread: control. Owns:
// the stores and their reflectors.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kube/client.h"
#include "kube/events.h"
#include "kube/reflector.h"
#include "kube/store.h"
#include "local/pod_worker.h"

namespace tidegate::local {

struct ServiceObject {
  api::Meta meta;
  api::Service service;
};
struct SliceObject {
  api::Meta meta;
  std::shared_ptr<const Json> json;
};

// The controller among an object's owners; nullptr: none.
const api::OwnerReference* controller_of(const api::Meta& meta);

struct Cluster {
  Cluster(asio::io_context& loop, Scheduler& timers, kube::Client& api);

  void start(std::function<void()> all_synced);  // begins to fill the stores; listeners must be in place

  asio::io_context& io;
  Scheduler& scheduler;
  kube::Client& client;
  kube::EventRecorder events;
  kube::Store<PodObject> pods;
  kube::Store<api::Object> replica_sets, deployments, jobs, namespaces;
  kube::Store<ServiceObject> services;
  kube::Store<SliceObject> slices;

 private:
  std::vector<std::unique_ptr<kube::Reflector>> reflectors_;
};

}  // namespace tidegate::local
