// SPDX-License-Identifier: Apache-2.0
#include "local/cluster.h"

#include <algorithm>

namespace tidegate::local {

const api::OwnerReference* controller_of(const api::Meta& meta) {
  const auto it = std::find_if(meta.owners.begin(), meta.owners.end(),
                               [](const auto& owner) { return owner.controller; });
  return it == meta.owners.end() ? nullptr : &*it;
}

Cluster::Cluster(asio::io_context& loop, Scheduler& timers, kube::Client& api)
    : io(loop),
      scheduler(timers),
      client(api),
      events(api, "tidegate-runtime"),
      pods(decode_pod_object),
      replica_sets(api::make_object),
      deployments(api::make_object),
      jobs(api::make_object),
      namespaces(api::make_object),
      services([](const Json& json) {
        auto service = api::decode_service(json);
        return ServiceObject{service.meta, service};
      }),
      slices([](const Json& json) {
        return SliceObject{api::decode_meta(json), std::make_shared<const Json>(json)};
      }) {}

void Cluster::start(std::function<void()> all_synced) {
  struct Kind {
    api::Resource resource;
    kube::Sink& sink;
  };
  const std::vector<Kind> kinds = {{api::kNamespaces, namespaces},
                                   {api::kServices, services},
                                   {api::kEndpointSlices, slices},
                                   {api::kDeployments, deployments},
                                   {api::kReplicaSets, replica_sets},
                                   {api::kJobs, jobs},
                                   {api::kPods, pods}};
  auto missing = std::make_shared<std::size_t>(kinds.size());
  for (const auto& [resource, sink] : kinds) {
    const kube::ListOptions everywhere;
    reflectors_.push_back(
        std::make_unique<kube::Reflector>(client, resource, everywhere, sink, [missing, all_synced] {
          if (--*missing == 0) all_synced();
        }));
  }
}

}  // namespace tidegate::local
