// SPDX-License-Identifier: Apache-2.0
// The backends of a table: Service ports with their endpoints, each once however many rules name it. Thread:
// none; lives for one translation.
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
    index_slices();
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
  Sorted sorted() &&;

 private:
  using Id = std::tuple<std::string, std::string, std::uint16_t, bool>;  // namespace, name, port, whether UDP

  void index_slices();
  std::uint32_t index_of(const Id& id, const api::Service* service);
  std::vector<routing::Endpoint> endpoints(const api::Service& service, const api::ServicePort& port) const;

  const ClusterState& state_;
  BackendTls tls_;
  std::map<api::Key, std::vector<const api::EndpointSlice*>> slices_;  // by Service
  std::map<Id, std::uint32_t> by_id_;
  std::vector<routing::Backend> backends_;
};

}  // namespace tidegate::gateway
