// SPDX-License-Identifier: Apache-2.0
// What translating all routes from nothing costs; a change to one of them: tests/scale/route_change_bench.cc.
#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>

#include "gateway/translate.h"

namespace tidegate::gateway {
namespace {

Json meta(const std::string& name, std::int64_t generation = 1) {
  return {{"namespace", "shop"}, {"name", name}, {"uid", "uid-" + name}, {"generation", generation}};
}

std::shared_ptr<const api::Route> route(std::int64_t number, std::int64_t generation) {
  const std::string name = "web-" + std::to_string(number);
  const Json json = {
      {"apiVersion", "gateway.networking.k8s.io/v1"},
      {"kind", "HTTPRoute"},
      {"metadata", meta(name, generation)},
      {"spec",
       {{"parentRefs", Json::array({{{"name", "gate"}}})},
        {"hostnames", Json::array({name + ".example.com"})},
        {"rules",
         Json::array(
             {{{"matches", Json::array({{{"path", {{"type", "PathPrefix"}, {"value", "/"}}}}})},
               {"backendRefs",
                Json::array(
                    {{{"name", name}, {"port", 80}, {"weight", 100 - generation % 100}},
                     {{"name", name + "-canary"}, {"port", 80}, {"weight", generation % 100}}})}}})}}}};
  return std::make_shared<const api::Route>(api::decode_http_route(json));
}

void add_service(ClusterState& state, const std::string& name) {
  const api::Key key{"shop", name};
  state.services[key] = std::make_shared<const api::Service>(api::decode_service(
      {{"metadata", meta(name)}, {"spec", {{"ports", Json::array({{{"name", "http"}, {"port", 80}}})}}}}));
  Json slice = {{"metadata", meta(name)},
                {"addressType", "IPv4"},
                {"ports", Json::array({{{"name", "http"}, {"port", 8080}}})},
                {"endpoints", Json::array({{{"addresses", Json::array({"10.0.0.1"})}},
                                           {{"addresses", Json::array({"10.0.0.2"})}}})}};
  slice["metadata"]["labels"]["kubernetes.io/service-name"] = name;
  state.slices[key] = std::make_shared<const api::EndpointSlice>(api::decode_endpoint_slice(slice));
}

ClusterState cluster_of(std::int64_t routes) {
  ClusterState state;
  state.classes[{"", "tidegate"}] = std::make_shared<const api::GatewayClass>(
      api::decode_gateway_class({{"metadata", {{"name", "tidegate"}}},
                                 {"spec", {{"controllerName", "tidegate.dev/gateway-controller"}}}}));
  state.gateways[{"shop", "gate"}] = std::make_shared<const api::Gateway>(api::decode_gateway(
      {{"metadata", meta("gate")},
       {"spec",
        {{"gatewayClassName", "tidegate"},
         {"listeners", Json::array({{{"name", "http"}, {"protocol", "HTTP"}, {"port", 80}}})}}}}));
  for (std::int64_t i = 0; i < routes; ++i) {
    const auto one = route(i, 1);
    state.http_routes[one->meta.key()] = one;
    add_service(state, one->meta.name);
    add_service(state, one->meta.name + "-canary");
  }
  return state;
}

void BM_Translate(benchmark::State& bench) {
  const ClusterState state = cluster_of(bench.range(0));
  for (auto _ : bench) benchmark::DoNotOptimize(translate(state, {}));
}
BENCHMARK(BM_Translate)->Arg(10)->Arg(5000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tidegate::gateway
