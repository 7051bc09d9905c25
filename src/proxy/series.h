// SPDX-License-Identifier: Apache-2.0
// Which counters belong to which labels: one series a (listener, rule, backend) and one a listener, whatever
// tables come and go. A table is resolved to its series when it is published, so that a request adds to a
// slot and looks nothing up. Thread: control; the cells inside are written by workers. Owns: the series,
// until kSeriesRetention after their route left the table.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "metrics/traffic.h"
#include "proxy/counters.h"
#include "routing/compile.h"

namespace tidegate::proxy {

struct ListenerKey {
  std::string gateway_ns, gateway, listener;
  friend auto operator<=>(const ListenerKey&, const ListenerKey&) = default;
};

struct BackendKey {
  std::string ns, name;
  std::uint16_t port = 0;
  friend auto operator<=>(const BackendKey&, const BackendKey&) = default;
};

struct RouteBackendKey {
  ListenerKey listener;
  std::string route_kind, route_ns, route, rule;
  BackendKey backend;  // empty names: a reference that could not be resolved
  friend auto operator<=>(const RouteBackendKey&, const RouteBackendKey&) = default;
};

using BackendSeries = PerWorker<BackendCell>;
using TunnelSeries = PerWorker<TunnelCell>;
using ListenerSeries = PerWorker<ListenerCell>;
using BackendTotalsSeries = PerWorker<BackendTotals>;

struct TableSeries {
  std::vector<std::shared_ptr<BackendSeries>> slots;       // as CompiledTable::slots; null: layer 4, unused
  std::vector<std::shared_ptr<TunnelSeries>> tunnels;      // the same; null: HTTP, unused
  std::vector<std::shared_ptr<ListenerSeries>> listeners;  // as Table::listeners
  std::vector<std::shared_ptr<BackendTotalsSeries>> backends;  // as Table::backends
};

// A table with its counters: what workers serve. Tables that count the same share them.
struct ServingTable {
  routing::CompiledTablePtr compiled;
  std::shared_ptr<const TableSeries> series;
};
using ServingTablePtr = std::shared_ptr<const ServingTable>;

class SeriesBook {
 public:
  SeriesBook(std::size_t workers, const Clock& clock) : workers_(workers), clock_(clock), limits_(workers) {}

  ServingTablePtr resolve(routing::CompiledTablePtr compiled);

  metrics::TrafficCounts traffic() const;

  void forget_old();  // drops what is gone for kSeriesRetention; resolve() does so too

  // For the collector (collector.h).
  template <typename Cell>
  struct Kept {
    std::shared_ptr<PerWorker<Cell>> cells;
    std::optional<SteadyTime> gone;  // since when no table names it
  };
  template <typename Key, typename Cell>
  using Series = std::map<Key, Kept<Cell>>;
  const Series<RouteBackendKey, BackendCell>& backends() const { return backends_; }
  const Series<RouteBackendKey, TunnelCell>& tunnels() const { return tunnels_; }
  const Series<ListenerKey, ListenerCell>& listeners() const { return listeners_; }
  const Series<BackendKey, BackendTotals>& totals() const { return totals_; }
  // The latest; null: none yet.
  const routing::Table* table() const {
    return last_.serving ? last_.serving->compiled->table.get() : nullptr;
  }
  PerWorker<LimitCell>& limits() { return limits_; }
  const PerWorker<LimitCell>& limits() const { return limits_; }

  // Of tables that all workers took up.
  void applied(std::uint64_t generation, Duration took);
  std::uint64_t applied_generation() const { return generation_; }
  const std::vector<std::uint64_t>& apply_counts() const {
    return apply_counts_;
  }  // by kApplyBounds, and above
  double apply_seconds() const { return apply_seconds_; }
  static constexpr std::array<double, 8> kApplyBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5};

 private:
  std::size_t workers_;
  const Clock& clock_;
  Series<RouteBackendKey, BackendCell> backends_;
  Series<RouteBackendKey, TunnelCell> tunnels_;
  Series<ListenerKey, ListenerCell> listeners_;
  Series<BackendKey, BackendTotals> totals_;
  PerWorker<LimitCell> limits_;
  // The table before, with the places of its series: those of the same slots and backends are not looked up.
  struct Last {
    ServingTablePtr serving;
    std::vector<Kept<BackendCell>*> slots;
    std::vector<Kept<TunnelCell>*> tunnels;
    std::vector<Kept<BackendTotals>*> backends;
  };
  std::shared_ptr<const TableSeries> series_of(const routing::CompiledTable& compiled);
  void resolve_slots(const routing::CompiledTable& compiled, TableSeries& series, Last& next);
  void resolve_backends(const routing::CompiledTable& compiled, TableSeries& series, Last& next);
  Last last_;
  std::uint64_t generation_ = 0;
  std::vector<std::uint64_t> apply_counts_ = std::vector<std::uint64_t>(kApplyBounds.size() + 1);
  double apply_seconds_ = 0;
};

}  // namespace tidegate::proxy
