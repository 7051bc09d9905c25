// SPDX-License-Identifier: Apache-2.0
#include "proxy/series.h"

#include <algorithm>

namespace tidegate::proxy {
namespace {

ListenerKey key_of(const routing::Listener& listener) {
  return {listener.gateway_ns, listener.gateway, listener.name};
}

BackendKey key_of(const routing::Backend& backend) { return {backend.ns, backend.name, backend.port}; }

RouteBackendKey key_of(const routing::Slot& slot) {
  RouteBackendKey key;
  key.listener = key_of(*slot.listener);
  key.route_kind = slot.rule->route.kind;
  key.route_ns = slot.rule->route.ns;
  key.route = slot.rule->route.name;
  key.rule = slot.rule->name;
  if (slot.backend != nullptr) key.backend = key_of(*slot.backend);
  return key;
}

template <typename Map>
void all_gone(Map& map, SteadyTime now) {
  for (auto& [_, kept] : map) {
    if (!kept.gone) kept.gone = now;
  }
}

template <typename Map>
auto take(Map& map, typename Map::key_type key, std::size_t workers) {
  auto& kept = map[std::move(key)];
  using Cells = typename std::remove_reference_t<decltype(kept.cells)>::element_type;
  if (!kept.cells) kept.cells = std::make_shared<Cells>(workers);
  kept.gone.reset();
  return kept.cells;
}

template <typename Map>
void forget(Map& map, SteadyTime now) {
  std::erase_if(map, [now](const auto& entry) {
    return entry.second.gone && now - *entry.second.gone >= kSeriesRetention;
  });
}

void add_to(metrics::BackendTraffic& traffic, const BackendCell& cell) {
  cell.codes.each([&](int code, std::int64_t count) {
    if (code != policy(ErrorKind::kClientGone).status) traffic.requests += static_cast<std::uint64_t>(count);
  });
  traffic.failures += static_cast<std::uint64_t>(cell.failed.get());
  for (std::size_t i = 0; i < cell.durations.size(); ++i) {
    traffic.duration_counts[i] += static_cast<std::uint64_t>(cell.durations[i].get());
  }
  traffic.duration_sum_seconds += static_cast<double>(cell.duration_milliseconds.get()) / 1000;
}

}  // namespace

ServingTablePtr SeriesBook::resolve(routing::CompiledTablePtr compiled) {
  const SteadyTime now = clock_.steady_now();
  all_gone(backends_, now);
  all_gone(tunnels_, now);
  all_gone(listeners_, now);
  all_gone(totals_, now);
  auto out = std::make_shared<ServingTable>();
  out->slots.reserve(compiled->slots.size());
  out->tunnels.reserve(compiled->slots.size());
  for (const routing::Slot& slot : compiled->slots) {
    const bool http = slot.listener->protocol == routing::Protocol::kHttp;
    out->slots.push_back(http ? take(backends_, key_of(slot), workers_) : nullptr);
    out->tunnels.push_back(http ? nullptr : take(tunnels_, key_of(slot), workers_));
  }
  for (const routing::Listener& listener : compiled->table->listeners) {
    out->listeners.push_back(take(listeners_, key_of(listener), workers_));
  }
  for (const routing::Backend& backend : compiled->table->backends)
    out->backends.push_back(take(totals_, key_of(backend), workers_));
  table_ = compiled->table;
  out->compiled = std::move(compiled);
  forget_old();
  return out;
}

void SeriesBook::forget_old() {
  const SteadyTime now = clock_.steady_now();
  forget(backends_, now);
  forget(tunnels_, now);
  forget(listeners_, now);
  forget(totals_, now);
}

metrics::TrafficCounts SeriesBook::traffic() const {
  metrics::TrafficCounts counts;
  for (const auto& [key, kept] : backends_) {
    kept.cells->each([&, &key = key](const BackendCell& cell) {
      add_to(counts[{key.route_kind, key.route_ns, key.route, key.backend.ns, key.backend.name}], cell);
    });
  }
  return counts;
}

void SeriesBook::applied(std::uint64_t generation, Duration took) {
  const double seconds = std::chrono::duration<double>(took).count();
  generation_ = generation;
  apply_seconds_ += seconds;
  const auto bound = std::lower_bound(kApplyBounds.begin(), kApplyBounds.end(), seconds);
  ++apply_counts_[static_cast<std::size_t>(bound - kApplyBounds.begin())];
}

}  // namespace tidegate::proxy
