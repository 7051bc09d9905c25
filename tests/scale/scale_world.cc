// SPDX-License-Identifier: Apache-2.0
#include "tests/scale/scale_world.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "api/condition.h"
#include "api/core.h"
#include "api/gateway.h"
#include "api/rollout.h"
#include "api/routes.h"

namespace tidegate::test {
namespace {

constexpr const char* kGateway = R"(
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: demo, namespace: default}
spec:
  gatewayClassName: tidegate
  listeners: [{name: http, protocol: HTTP, port: 8080}]
)";

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result) give_up(result.error().detail);
  return std::move(*result);
}

Json meta(const std::string& name) { return {{"name", name}, {"namespace", "default"}}; }

Json service_of(const std::string& name) {
  const Json port = {{"name", "http"}, {"port", 80}};
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", meta(name)},
          {"spec", {{"ports", Json::array({port})}}}};
}

Json slice_of(const std::string& service, const net::Address& address) {
  Json metadata = meta(service + "-1");
  metadata["labels"] = {{"kubernetes.io/service-name", service}};
  const Json endpoint = {{"addresses", Json::array({address.ip})}, {"conditions", {{"ready", true}}}};
  const Json port = {{"name", "http"}, {"port", address.port}, {"protocol", "TCP"}};
  return {{"apiVersion", "discovery.k8s.io/v1"},
          {"kind", "EndpointSlice"},
          {"metadata", metadata},
          {"addressType", "IPv4"},
          {"endpoints", Json::array({endpoint})},
          {"ports", Json::array({port})}};
}

Json route_of(const std::string& name) {
  const auto backend = [&](const char* slot, int weight) {
    return Json{{"name", name + slot}, {"port", 80}, {"weight", weight}};
  };
  Json rule;
  rule["backendRefs"] = Json::array({backend("-blue", 100), backend("-green", 0)});
  Json spec;
  spec["parentRefs"] = Json::array({{{"name", "demo"}}});
  spec["hostnames"] = Json::array({name + ".example.com"});
  spec["rules"] = Json::array({rule});
  return {{"apiVersion", "gateway.networking.k8s.io/v1"},
          {"kind", "HTTPRoute"},
          {"metadata", meta(name)},
          {"spec", spec}};
}

Json rollout_of(const std::string& name, const Json& steps, const std::string& revision) {
  Json spec = {{"replicas", 1}, {"progressDeadlineSeconds", 600}};
  spec["services"] = {{"slots", Json::array({name + "-blue", name + "-green"})}, {"revision", revision}};
  spec["strategy"]["canary"]["trafficRouting"]["routes"] = Json::array({{{"name", name}}});
  spec["strategy"]["canary"]["steps"] = steps;
  return {
      {"apiVersion", "tidegate.dev/v1alpha1"}, {"kind", "Rollout"}, {"metadata", meta(name)}, {"spec", spec}};
}

}  // namespace

Users::Users() {
  for (const bool canary : {false, true}) {
    session::HttpServer::Options options;
    options.address = {"127.0.0.1", 0};
    auto answer = [this, canary](session::Request, session::Responder responder) {
      if (canary) last_of_canary_ = system_clock().steady_now().time_since_epoch().count();
      responder.send({.content_type = "text/plain", .body = canary ? "canary" : "stable"});
    };
    servers_[canary] = must(session::HttpServer::open(loop_.io(), loop_.scheduler(), options, answer));
  }
  thread_ = std::thread([this] { loop_.run(); });
}

Users::~Users() {
  loop_.stop();
  thread_.join();
}

void Users::begin(local::DemoLoadOptions load) {
  loop_.post([this, load = std::move(load)] {
    load_ = std::make_unique<local::DemoLoad>(loop_, load);
    load_->start();
  });
}

void ScaleWorld::play(std::function<Task<void>()> measure) {
  app::WorldOptions options;
  options.data_dir = dir_.path() + "/data";
  options.api = {"127.0.0.1", 0};
  options.metrics = {"127.0.0.1", 0};
  options.gateway_pool = "127.96.0.0/16";
  options.runtime = false;
  world_ = must(app::World::open(loop_, options));
  auto script = [this, measure]() -> Task<void> {
    const auto manifests = must(app::parse_manifests("bench", kGateway));
    auto started = co_await world_->start(manifests);
    if (!started) give_up(started.error().detail);
    co_await measure();
    co_await world_->stop();
    loop_.stop();
  };
  net::spawn(loop_.io(), script());
  loop_.run();
}

Task<void> ScaleWorld::create(const api::Resource& resource, Json object) {
  must(co_await world_->client().create(resource, std::move(object)));
}

Task<void> ScaleWorld::patch(std::string rollout, Json patch) {
  const api::Key key{"default", rollout};
  must(co_await world_->client().patch(api::kRollouts, key, kube::PatchType::kMerge, std::move(patch)));
}

Task<Json> ScaleWorld::get(std::string rollout) {
  const api::Key key{"default", rollout};
  co_return must(co_await world_->client().get(api::kRollouts, key));
}

Task<std::vector<Json>> ScaleWorld::list() {
  const kube::ListOptions all;
  auto rollouts = must(co_await world_->client().list(api::kRollouts, all));
  co_return std::move(rollouts.items);
}

Task<void> ScaleWorld::create_rollout(std::string name, Json steps, std::string revision) {
  for (const bool canary : {false, true}) {
    const std::string service = name + (canary ? "-green" : "-blue");
    co_await create(api::kServices, service_of(service));
    co_await create(api::kEndpointSlices, slice_of(service, users.slot(canary)));
  }
  co_await create(api::kHttpRoutes, route_of(name));
  co_await create(api::kRollouts, rollout_of(name, steps, revision));
}

Task<net::Address> ScaleWorld::gateway() {
  const api::Key demo{"default", "demo"};
  for (;;) {
    const Json gateway = must(co_await world_->client().get(api::kGateways, demo));
    const std::string ip = json::string_at(gateway, "/status/addresses/0/value");
    if (!ip.empty()) co_return net::Address{ip, 8080};
    co_await sleep(std::chrono::milliseconds(50));
  }
}

Task<void> ScaleWorld::sleep(Duration time) { co_await net::sleep_for(loop_.scheduler(), time); }

}  // namespace tidegate::test
