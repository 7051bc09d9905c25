// SPDX-License-Identifier: Apache-2.0
#include "proxy/series.h"

#include <algorithm>

#include "routing/share.h"

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

bool count_the_same(const routing::Slot& a, const routing::Slot& b) {
  if (a.compiled == b.compiled) return true;
  return a.compiled != nullptr && b.compiled != nullptr && a.listener->protocol == b.listener->protocol &&
         key_of(a) == key_of(b);
}

// Whether each slot, listener and backend of one counts for what it does in the other.
bool count_the_same(const routing::CompiledTable& a, const routing::CompiledTable& b) {
  const auto same_slots = [](const auto& x, const auto& y) { return count_the_same(x, y); };
  const auto same_backends = [](const auto& x, const auto& y) {
    return x.get() == y.get() || key_of(*x) == key_of(*y);
  };
  const auto &here = *a.table, &there = *b.table;
  return std::equal(here.listeners.begin(), here.listeners.end(), there.listeners.begin(),
                    there.listeners.end(), routing::same_place) &&
         std::equal(here.backends.begin(), here.backends.end(), there.backends.begin(), there.backends.end(),
                    same_backends) &&
         std::equal(a.slots.begin(), a.slots.end(), b.slots.begin(), b.slots.end(), same_slots);
}

template <typename Map>
void all_gone(Map& map, SteadyTime now) {
  for (auto& [_, kept] : map) {
    if (!kept.gone) kept.gone = now;
  }
}

// The series of a key, made where missing.
template <typename Map>
auto* find(Map& map, typename Map::key_type key, std::size_t workers) {
  auto& kept = map[std::move(key)];
  using Cells = typename std::remove_reference_t<decltype(kept.cells)>::element_type;
  if (!kept.cells) kept.cells = std::make_shared<Cells>(workers);
  return &kept;
}

// Its cells, which a table names from now on.
template <typename Kept>
auto name(Kept* kept) {
  kept->gone.reset();
  return kept->cells;
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
  auto series = last_.serving && count_the_same(*last_.serving->compiled, *compiled) ? last_.serving->series
                                                                                     : series_of(*compiled);
  last_.serving = std::make_shared<const ServingTable>(ServingTable{std::move(compiled), std::move(series)});
  return last_.serving;
}

std::shared_ptr<const TableSeries> SeriesBook::series_of(const routing::CompiledTable& compiled) {
  const SteadyTime now = clock_.steady_now();
  all_gone(backends_, now);
  all_gone(tunnels_, now);
  all_gone(listeners_, now);
  all_gone(totals_, now);
  auto out = std::make_shared<TableSeries>();
  Last next;
  resolve_slots(compiled, *out, next);
  resolve_backends(compiled, *out, next);
  for (const routing::Listener& listener : compiled.table->listeners)
    out->listeners.push_back(name(find(listeners_, key_of(listener), workers_)));
  last_ = std::move(next);
  forget_old();
  return out;
}

void SeriesBook::resolve_slots(const routing::CompiledTable& compiled, TableSeries& series, Last& next) {
  const auto& slots = compiled.slots;
  series.slots.resize(slots.size());
  series.tunnels.resize(slots.size());
  next.slots.resize(slots.size());
  next.tunnels.resize(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const routing::Slot& slot = slots[i];
    if (slot.compiled == nullptr) continue;
    const bool same = i < last_.slots.size() && last_.serving->compiled->slots[i].compiled == slot.compiled;
    if (slot.listener->protocol == routing::Protocol::kHttp) {
      next.slots[i] = same ? last_.slots[i] : find(backends_, key_of(slot), workers_);
      series.slots[i] = name(next.slots[i]);
    } else {
      next.tunnels[i] = same ? last_.tunnels[i] : find(tunnels_, key_of(slot), workers_);
      series.tunnels[i] = name(next.tunnels[i]);
    }
  }
}

void SeriesBook::resolve_backends(const routing::CompiledTable& compiled, TableSeries& series, Last& next) {
  const auto& backends = compiled.table->backends;
  const routing::Table* before = table();
  for (std::size_t i = 0; i < backends.size(); ++i) {
    const bool same = before && i < before->backends.size() && before->backends[i].get() == backends[i].get();
    next.backends.push_back(same ? last_.backends[i] : find(totals_, key_of(*backends[i]), workers_));
    series.backends.push_back(name(next.backends.back()));
  }
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
