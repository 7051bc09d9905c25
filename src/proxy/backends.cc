// SPDX-License-Identifier: Apache-2.0
#include "proxy/backends.h"

namespace tidegate::proxy {

WorkerTablePtr Backends::resolve(ServingTablePtr serving) {
  ++round_;
  auto out = std::make_shared<WorkerTable>();
  const auto& backends = serving->compiled->table->backends;
  out->backends.reserve(backends.size());
  for (const routing::Backend& backend : backends) {
    BackendView& view = out->backends.emplace_back();
    view.backend = &backend;
    for (const routing::Endpoint& e : backend.endpoints) {
      (e.draining ? view.draining : view.ready).push_back(endpoint({e.ip, e.port}));
    }
  }
  for (auto it = known_.begin(); it != known_.end();) {
    const auto held = it->second.endpoint.lock();
    if (held && it->second.seen != round_) held->pool.close_idle();
    it = held ? std::next(it) : known_.erase(it);
  }
  out->serving = std::move(serving);
  return out;
}

BackendEndpointPtr Backends::endpoint(const net::Address& address) {
  Known& known = known_[address];
  known.seen = round_;
  if (auto held = known.endpoint.lock()) return held;
  auto made = std::make_shared<BackendEndpoint>(io_, scheduler_, address);
  known.endpoint = made;
  return made;
}

BackendEndpointPtr choose_endpoint(const BackendView& backend, const BackendEndpoint* avoid, Random& random) {
  const auto& candidates = backend.ready.empty() ? backend.draining : backend.ready;
  if (candidates.empty()) return nullptr;
  if (candidates.size() == 1) return candidates.front();
  const std::size_t first = random.below(candidates.size());
  std::size_t second = random.below(candidates.size() - 1);
  if (second >= first) ++second;
  const BackendEndpointPtr &a = candidates[first], &b = candidates[second];
  if (a.get() == avoid) return b;
  if (b.get() == avoid) return a;
  return b->active < a->active ? b : a;
}

}  // namespace tidegate::proxy
