// SPDX-License-Identifier: Apache-2.0
// The backends of a table: Service ports with their endpoints, each once however many rules name it. Thread:
// none; lives as long as the Graph that it works on.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gateway/backend_tls.h"
#include "gateway/graph.h"

namespace tidegate::gateway {

struct ResolvedBackend {
  std::uint32_t index = 0;                // into the list of Backends; valid even where the reference is not
  std::string invalid;                    // why the reference can't be followed; empty: it can
  const api::Service* service = nullptr;  // where it can
};

class Backends {
 public:
  // `policies`, which this fills, outlive it.
  Backends(const ClusterState& state, std::vector<PolicyNode>& policies)
      : state_(state), tls_(state, policies) {
    for (const auto& [key, slice] : state.slices) change_slice(nullptr, slice);
  }

  // Problems are added to the route. `field` is the path of the reference; `effect`: on traffic, where
  // it is not the loss of a share (problems.h).
  ResolvedBackend resolve(RouteNode& route, const api::BackendReference& reference, const std::string& field,
                          std::string_view effect = {});

  // The backends in canonical order, and where each index went.
  struct Sorted {
    std::vector<routing::Backend> backends;
    std::vector<std::uint32_t> position;  // by the index that resolve() gave
  };
  Sorted sorted() const;

  // For what changes later (translator.h). A slice is another one now, has come (`old` null) or gone (`now`
  // null); `state` has it already.
  void change_slice(const std::shared_ptr<const api::EndpointSlice>& old,
                    const std::shared_ptr<const api::EndpointSlice>& now);
  std::size_t size() const { return by_id_.size(); }
  // Of a Service, and what each of them is now.
  std::map<std::uint32_t, routing::Backend> backends_of(const api::Key& service) const;

 private:
  // Namespace, name, port, whether UDP; whether it is of a kind that is none of ours.
  using Id = std::tuple<std::string, std::string, std::uint16_t, bool, bool>;

  std::uint32_t index_of(RouteNode& route, const Id& id);
  routing::Backend backend(const Id& id) const;
  std::vector<routing::Endpoint> endpoints(const api::Service& service, const api::ServicePort& port) const;

  const ClusterState& state_;
  BackendTls tls_;
  std::map<api::Key, Snapshots<api::EndpointSlice>> slices_;  // by Service
  std::map<Id, std::uint32_t> by_id_;
};

}  // namespace tidegate::gateway
