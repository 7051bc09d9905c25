// SPDX-License-Identifier: Apache-2.0
// What one change costs among few and among many routes, from the event to the workers that serve it and the
// status that says so: decoding, translation, compilation, counters, the workers' views, what is said of it.
// Without what takes its time by design (the hold-off) and the API server. `to_one_of_50` is what
// docs/performance.md quotes; figures of different machines say nothing.
#include <benchmark/benchmark.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/assert.h"
#include "gateway/translator.h"
#include "net/asio.h"
#include "proxy/runtime.h"

namespace tidegate {
namespace {

using std::chrono::steady_clock;

double microseconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double, std::micro>(steady_clock::now() - start).count();
}

// Each route leads to two Services of its own, each with two endpoints.
class Gateway {
 public:
  Gateway(std::int64_t routes, bool one_host)
      : one_host_(one_host),
        runtime_(control_, {.workers = 2}, [this](const auto& applied) { serving_ = applied.table; }) {
    put(&gateway::ClusterState::classes, api::decode_gateway_class,
        {{"metadata", {{"name", "tidegate"}}},
         {"spec", {{"controllerName", "tidegate.dev/gateway-controller"}}}});
    const Json listener{{"name", "http"}, {"protocol", "HTTP"}, {"port", 18080}};
    put(&gateway::ClusterState::gateways, api::decode_gateway,
        {{"metadata", meta("gate", 1)},
         {"spec", {{"gatewayClassName", "tidegate"}, {"listeners", Json::array({listener})}}}});
    for (std::int64_t i = 0; i < routes; ++i) {
      change_weights(i, 1);
      for (const std::string& name : {name_of(i), name_of(i) + "-canary"}) {
        const Json ports = Json::array({{{"name", "http"}, {"port", 80}}});
        put(&gateway::ClusterState::services, api::decode_service,
            {{"metadata", meta(name, 1)}, {"spec", {{"ports", ports}}}});
        change_endpoints(name, 1);
      }
    }
    serve_changes();
    serve_changes();
  }

  static std::string name_of(std::int64_t number) { return "web-" + std::to_string(number); }

  void change_weights(std::int64_t number, std::int64_t generation) {
    const std::string name = name_of(number);
    const Json path{{"type", "PathPrefix"}, {"value", one_host_ ? "/" + name : "/"}};
    const Json backends =
        Json::array({{{"name", name}, {"port", 80}, {"weight", 100 - generation % 100}},
                     {{"name", name + "-canary"}, {"port", 80}, {"weight", generation % 100}}});
    put(&gateway::ClusterState::http_routes, api::decode_http_route,
        {{"metadata", meta(name, generation)},
         {"spec",
          {{"parentRefs", Json::array({{{"name", "gate"}}})},
           {"hostnames", Json::array({one_host_ ? "shop.example.com" : name + ".example.com"})},
           {"rules",
            Json::array({{{"matches", Json::array({{{"path", path}}})}, {"backendRefs", backends}}})}}}});
  }

  void change_endpoints(const std::string& service, std::int64_t generation) {
    Json slice{{"metadata", meta(service, generation)},
               {"addressType", "IPv4"},
               {"ports", Json::array({{{"name", "http"}, {"port", 8080}}})},
               {"endpoints",
                Json::array({{{"addresses", Json::array({"10.0.0.1"})}},
                             {{"addresses", Json::array({"10.0.1." + std::to_string(generation % 250)})}}})}};
    slice["metadata"]["labels"]["kubernetes.io/service-name"] = service;
    put(&gateway::ClusterState::slices, api::decode_endpoint_slice, slice);
  }

  void remove_route(std::int64_t number) {
    translator_.put(&gateway::ClusterState::http_routes, {"shop", name_of(number)},
                    std::shared_ptr<const api::Route>());
  }

  // Until all workers serve what has changed, and it is known what to say of it.
  void serve_changes() {
    auto start = steady_clock::now();
    changes_ = translator_.run();
    auto table = translator_.latest().table;
    table.generation = ++generation_;
    const auto published = std::make_shared<const routing::Table>(std::move(table));
    stages_["translated_us"] += microseconds_since(start);
    start = steady_clock::now();
    runtime_.publish(published);
    stages_["published_us"] += microseconds_since(start);
    start = steady_clock::now();
    while (serving_ != published) {
      control_.io().restart();
      control_.io().run_one();
    }
    stages_["taken_us"] += microseconds_since(start);
    start = steady_clock::now();
    translator_.serve(published, {});
    changes_ = translator_.run();
    stages_["told_us"] += microseconds_since(start);
  }

  bool translated_everything() const { return changes_.everything; }
  std::map<std::string, double>& stages() { return stages_; }

 private:
  static Json meta(const std::string& name, std::int64_t generation) {
    return {{"namespace", "shop"}, {"name", name}, {"uid", name}, {"generation", generation}};
  }
  template <typename T>
  void put(gateway::Snapshots<T> gateway::ClusterState::*kind, T (*decode)(const Json&),
           const Json& document) {
    const auto object = std::make_shared<const T>(decode(document));
    translator_.put(kind, object->meta.key(), object);
  }

  const bool one_host_;
  std::uint64_t generation_ = 0;
  gateway::Translator translator_{{}};
  gateway::Translator::Changes changes_;
  routing::TablePtr serving_;
  std::map<std::string, double> stages_;
  net::EventLoop control_;
  proxy::Runtime runtime_;
};

// `goes_on`: it is to cost what it concerns, without a translation from nothing.
template <typename Change>
void measure(benchmark::State& bench, const char* what, bool goes_on, Change change) {
  static std::map<std::pair<std::string, bool>, double> of_fifty;
  const bool one_host = bench.range(1) != 0;
  Gateway gateway(bench.range(0), one_host);
  gateway.stages().clear();
  std::int64_t number = 1;
  const auto start = steady_clock::now();
  for (auto _ : bench) {
    change(gateway, ++number);
    gateway.serve_changes();
    if (goes_on && gateway.translated_everything()) bench.SkipWithError("everything was translated");
  }
  const double each = microseconds_since(start) / static_cast<double>(bench.iterations());
  for (const auto& [stage, total] : gateway.stages())
    bench.counters[stage] = total / static_cast<double>(bench.iterations());
  double& fifty = of_fifty[{what, one_host}];
  if (bench.range(0) == 50) fifty = each;
  if (fifty > 0) bench.counters["to_one_of_50"] = each / fifty;
}

void BM_WeightsOfOneRouteChange(benchmark::State& bench) {
  measure(bench, "weights", true, [](Gateway& gateway, std::int64_t n) { gateway.change_weights(17, n); });
}
void BM_EndpointsOfOneServiceChange(benchmark::State& bench) {
  measure(bench, "endpoints", true,
          [](Gateway& gateway, std::int64_t n) { gateway.change_endpoints(Gateway::name_of(17), n); });
}

void BM_OneRouteComesOrGoes(benchmark::State& bench) {
  measure(bench, "route", false, [](Gateway& gateway, std::int64_t n) {
    n % 2 == 0 ? gateway.remove_route(17) : gateway.change_weights(17, n);
  });
}

void cases(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"routes", "one_host"})->UseRealTime()->Unit(benchmark::kMicrosecond);
  for (const int one_host : {0, 1}) {
    for (const int routes : {50, 5000}) bench->Args({routes, one_host});
  }
}
BENCHMARK(BM_WeightsOfOneRouteChange)->Apply(cases);
BENCHMARK(BM_EndpointsOfOneServiceChange)->Apply(cases);
BENCHMARK(BM_OneRouteComesOrGoes)->Apply(cases);

}  // namespace
}  // namespace tidegate
