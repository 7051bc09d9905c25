// SPDX-License-Identifier: Apache-2.0
#include "proxy/collector.h"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <limits>
#include <set>

#include "proxy/series.h"

namespace tidegate::proxy {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

Labels labels_of(const ListenerKey& key) {
  return {{"gateway_namespace", key.gateway_ns}, {"gateway", key.gateway}, {"listener", key.listener}};
}

Labels labels_of(const BackendKey& key) {
  return {{"backend_namespace", key.ns}, {"backend", key.name}, {"backend_port", std::to_string(key.port)}};
}

Labels labels_of(const RouteBackendKey& key) {
  Labels labels = labels_of(key.listener);
  labels.push_back({"route_kind", key.route_kind});
  labels.push_back({"route_namespace", key.route_ns});
  labels.push_back({"route", key.route});
  labels.push_back({"rule", key.rule});
  for (auto& label : labels_of(key.backend)) labels.push_back(std::move(label));
  return labels;
}

Labels with(Labels labels, const char* name, std::string value) {
  labels.push_back({name, std::move(value)});
  return labels;
}

void add_counter(MetricFamily& family, Labels labels, double value) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  metric.counter.value = value;
}

void add_gauge(MetricFamily& family, Labels labels, double value) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  metric.gauge.value = value;
}

// `counts`: one a bound and one above all.
template <typename Bounds, typename Counts>
void add_histogram(MetricFamily& family, Labels labels, const Bounds& bounds, const Counts& counts,
                   double sum) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = std::move(labels);
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    cumulative += static_cast<std::uint64_t>(counts[i]);
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = sum;
}

// The workers' cells of one series, summed.
struct BackendSum {
  bool seen = false;
  std::map<int, std::int64_t> codes;
  std::array<std::int64_t, metrics::kDurationBounds.size() + 1> durations{};
  std::array<std::int64_t, kFailureReasons> failures{};
  double seconds = 0;
  std::int64_t active = 0;

  explicit BackendSum(const BackendSeries& series) {
    series.each([this](const BackendCell& cell) {
      seen = true;
      cell.codes.each([this](int code, std::int64_t count) { codes[code] += count; });
      for (std::size_t i = 0; i < durations.size(); ++i) durations[i] += cell.durations[i].get();
      for (std::size_t i = 0; i < failures.size(); ++i) failures[i] += cell.failures[i].get();
      seconds += static_cast<double>(cell.duration_milliseconds.get()) / 1000;
      active += cell.active.get();
    });
  }
};

std::string code_label(int code) { return code == 0 ? "other" : std::to_string(code); }

class Collector final : public prometheus::Collectable {
 public:
  explicit Collector(std::shared_ptr<SeriesBook> series) : series_(std::move(series)) {}

  std::vector<MetricFamily> Collect() const override {
    series_->forget_old();
    std::vector<MetricFamily> out;
    collect_backends(out);
    collect_tunnels(out);
    collect_listeners(out);
    collect_process(out);
    return out;
  }

 private:
  void collect_backends(std::vector<MetricFamily>& out) const {
    MetricFamily requests{"tidegate_backend_requests_total",
                          "Requests answered, by the backend or in its name.",
                          MetricType::Counter,
                          {}};
    MetricFamily durations{"tidegate_backend_request_duration_seconds",
                           "From the request head to the end of the response.",
                           MetricType::Histogram,
                           {}};
    MetricFamily failures{"tidegate_backend_failures_total",
                          "Requests that the backend did not answer in full.",
                          MetricType::Counter,
                          {}};
    std::map<BackendKey, std::int64_t> active;
    for (const auto& [key, kept] : series_->backends()) {
      const BackendSum sum(*kept.cells);
      if (!sum.seen) continue;
      const Labels labels = labels_of(key);
      for (const auto& [code, count] : sum.codes) {
        add_counter(requests, with(labels, "code", code_label(code)), static_cast<double>(count));
      }
      add_histogram(durations, labels, metrics::kDurationBounds, sum.durations, sum.seconds);
      for (std::size_t i = 0; i < sum.failures.size(); ++i) {
        if (sum.failures[i] == 0) continue;
        const auto reason = std::string(to_string(static_cast<FailureReason>(i)));
        add_counter(failures, with(labels, "reason", reason), static_cast<double>(sum.failures[i]));
      }
      if (!key.backend.name.empty()) active[key.backend] += sum.active;
    }
    out.push_back(std::move(requests));
    out.push_back(std::move(durations));
    out.push_back(std::move(failures));
    collect_backend_gauges(active, out);
    collect_backend_totals(out);
  }

  // Layer 4.
  void collect_tunnels(std::vector<MetricFamily>& out) const {
    MetricFamily opened{"tidegate_backend_tunnels_total",
                        "TLS and TCP connections and UDP sessions that were brought to a backend.",
                        MetricType::Counter,
                        {}};
    MetricFamily active{"tidegate_backend_active_tunnels", "Those that are open.", MetricType::Gauge, {}};
    MetricFamily bytes{"tidegate_backend_tunnel_bytes_total", "Carried in them.", MetricType::Counter, {}};
    MetricFamily failures{
        "tidegate_backend_tunnel_failures_total", "Those that reached no backend.", MetricType::Counter, {}};
    for (const auto& [key, kept] : series_->tunnels()) {
      const auto sum = [&cells = *kept.cells](auto of) {
        std::int64_t total = 0;
        cells.each([&](const TunnelCell& cell) { total += of(cell).get(); });
        return static_cast<double>(total);
      };
      const Labels labels = labels_of(key);
      add_counter(opened, labels, sum([](const auto& cell) -> auto& { return cell.opened; }));
      add_gauge(active, labels, sum([](const auto& cell) -> auto& { return cell.active; }));
      add_counter(bytes, with(labels, "direction", "in"),
                  sum([](const auto& cell) -> auto& { return cell.bytes_in; }));
      add_counter(bytes, with(labels, "direction", "out"),
                  sum([](const auto& cell) -> auto& { return cell.bytes_out; }));
      for (std::size_t i = 0; i < kFailureReasons; ++i) {
        const double count = sum([i](const auto& cell) -> auto& { return cell.failures[i]; });
        const auto reason = std::string(to_string(static_cast<FailureReason>(i)));
        if (count != 0) add_counter(failures, with(labels, "reason", reason), count);
      }
    }
    for (auto* family : {&opened, &active, &bytes, &failures}) out.push_back(std::move(*family));
  }

  // Of backends that have had a request alone: idle routes make no series.
  void collect_backend_gauges(const std::map<BackendKey, std::int64_t>& active,
                              std::vector<MetricFamily>& out) const {
    MetricFamily requests{"tidegate_backend_active_requests", "Requests under way.", MetricType::Gauge, {}};
    MetricFamily endpoints{"tidegate_backend_endpoints", "Endpoints by state.", MetricType::Gauge, {}};
    for (const auto& [key, count] : active) add_gauge(requests, labels_of(key), static_cast<double>(count));
    if (series_->table()) {
      std::set<BackendKey> told;  // which may have several entries, with the same endpoints
      for (const routing::Backend& backend : series_->table()->backends) {
        const BackendKey key{backend.ns, backend.name, backend.port};
        if (!active.contains(key) || !told.insert(key).second) continue;
        int draining = 0;
        for (const auto& endpoint : backend.endpoints) draining += endpoint.draining;
        const int ready = static_cast<int>(backend.endpoints.size()) - draining;
        add_gauge(endpoints, with(labels_of(key), "state", "ready"), ready);
        add_gauge(endpoints, with(labels_of(key), "state", "draining"), draining);
      }
    }
    out.push_back(std::move(requests));
    out.push_back(std::move(endpoints));
  }

  void collect_backend_totals(std::vector<MetricFamily>& out) const {
    MetricFamily ejections{"tidegate_backend_ejections_total",
                           "Times that a worker left out an endpoint for its failures.",
                           MetricType::Counter,
                           {}};
    MetricFamily retries{
        "tidegate_backend_retries_total", "Requests sent again, or not.", MetricType::Counter, {}};
    for (const auto& [key, kept] : series_->totals()) {
      const auto add = [&, &key = key, &kept = kept](MetricFamily& family, Counter BackendTotals::*counter,
                                                     const char* kind) {
        std::int64_t sum = 0;
        kept.cells->each([&](const BackendTotals& totals) { sum += (totals.*counter).get(); });
        if (sum == 0) return;
        Labels labels = labels_of(key);
        if (kind != nullptr) labels.push_back({"kind", kind});
        add_counter(family, std::move(labels), static_cast<double>(sum));
      };
      add(ejections, &BackendTotals::ejections, nullptr);
      add(retries, &BackendTotals::resent, "unsent");
      add(retries, &BackendTotals::retries, "rule");
      add(retries, &BackendTotals::retries_over_budget, "over_budget");
    }
    out.push_back(std::move(ejections));
    out.push_back(std::move(retries));
  }

  void collect_listeners(std::vector<MetricFamily>& out) const {
    MetricFamily requests{"tidegate_listener_requests_total",
                          "Requests answered, unmatched and refused ones among them.",
                          MetricType::Counter,
                          {}};
    MetricFamily connections{"tidegate_listener_connections",
                             "Open connections of clients; a shared port counts at its first listener.",
                             MetricType::Gauge,
                             {}};
    MetricFamily refused{
        "tidegate_listener_refused_total",
        "TLS and TCP connections and UDP datagrams that no route takes, and clients without a "
        "certificate that they need.",
        MetricType::Counter,
        {}};
    for (const auto& [key, kept] : series_->listeners()) {
      std::map<int, std::int64_t> codes;
      std::array<std::int64_t, kRefusalNames.size()> refusals{};
      std::int64_t open = 0;
      bool seen = false;
      kept.cells->each([&](const ListenerCell& cell) {
        seen = true;
        cell.codes.each([&](int code, std::int64_t count) { codes[code] += count; });
        open += cell.connections.get();
        for (std::size_t i = 0; i < refusals.size(); ++i) refusals[i] += cell.refused[i].get();
      });
      if (!seen) continue;
      for (const auto& [code, count] : codes) {
        add_counter(requests, with(labels_of(key), "code", code_label(code)), static_cast<double>(count));
      }
      add_gauge(connections, labels_of(key), static_cast<double>(open));
      for (std::size_t i = 0; i < refusals.size(); ++i) {
        if (refusals[i] == 0) continue;
        add_counter(refused, with(labels_of(key), "reason", std::string(kRefusalNames[i])),
                    static_cast<double>(refusals[i]));
      }
    }
    out.push_back(std::move(refused));
    out.push_back(std::move(requests));
    out.push_back(std::move(connections));
  }

  template <typename Names, typename Hits>
  void add_hits(MetricFamily& family, const Names& names, Hits LimitCell::*hits) const {
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::int64_t sum = 0;
      series_->limits().each([&](const LimitCell& cell) { sum += (cell.*hits)[i].get(); });
      add_counter(family, {{"limit", std::string(names[i])}}, static_cast<double>(sum));
    }
  }

  void collect_process(std::vector<MetricFamily>& out) const {
    MetricFamily generation{
        "tidegate_config_generation", "Of the table that all workers serve.", MetricType::Gauge, {}};
    add_gauge(generation, {}, static_cast<double>(series_->applied_generation()));
    MetricFamily apply{"tidegate_config_apply_seconds",
                       "From a table's publication until all workers serve it.",
                       MetricType::Histogram,
                       {}};
    add_histogram(apply, {}, SeriesBook::kApplyBounds, series_->apply_counts(), series_->apply_seconds());
    MetricFamily limits{
        "tidegate_limit_hits_total", "Times that a bound of ours was met.", MetricType::Counter, {}};
    add_hits(limits, kLimitNames, &LimitCell::hits);
    add_hits(limits, session::kLimitNames, &LimitCell::client_hits);
    out.push_back(std::move(generation));
    out.push_back(std::move(apply));
    out.push_back(std::move(limits));
  }

  std::shared_ptr<SeriesBook> series_;
};

}  // namespace

std::shared_ptr<prometheus::Collectable> make_collector(std::shared_ptr<SeriesBook> series) {
  return std::make_shared<Collector>(std::move(series));
}

}  // namespace tidegate::proxy
