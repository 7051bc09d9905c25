// SPDX-License-Identifier: Apache-2.0
// The gateway controller against the embedded API server: objects are applied as a user would, tables go to a
// fake data plane that answers when the test says so, and what is looked at are the objects' statuses.
#include "gateway/controller.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "api/core.h"
#include "api/gateway.h"
#include "api/routes.h"
#include "apiserver/server.h"
#include "base/text.h"
#include "base/yaml.h"
#include "tests/support/temp_dir.h"

namespace tidegate::gateway {
namespace {

constexpr api::Resource kCrds{"apiextensions.k8s.io", "v1", "customresourcedefinitions",
                              "CustomResourceDefinition", false};

// A definition that lets every field through: the schemas are not what is tested here.
Json crd(const api::Resource& resource) {
  Json schema = {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  Json version = {{"name", resource.version}, {"served", true}, {"storage", true}};
  version["schema"]["openAPIV3Schema"] = schema;
  if (resource.kind != "ReferenceGrant") version["subresources"]["status"] = Json::object();
  Json out = {{"apiVersion", "apiextensions.k8s.io/v1"}, {"kind", "CustomResourceDefinition"}};
  out["metadata"]["name"] = std::string(resource.plural) + "." + std::string(resource.group);
  out["metadata"]["annotations"]["api-approved.kubernetes.io"] = "unapproved, testing only";
  out["spec"] = {{"group", resource.group}, {"scope", resource.namespaced ? "Namespaced" : "Cluster"}};
  out["spec"]["names"] = {{"plural", resource.plural},
                          {"singular", text::lower(resource.kind)},
                          {"kind", resource.kind},
                          {"listKind", std::string(resource.kind) + "List"}};
  out["spec"]["versions"] = Json::array({version});
  return out;
}

class ControllerTest : public testing::Test {
 protected:
  void SetUp() override {
    apiserver::Server::Options options;
    options.address = {"127.0.0.1", 0};
    options.data_dir = dir_.path();
    auto server = apiserver::Server::open(loop_, options);
    ASSERT_TRUE(server) << server.error().detail;
    server_ = std::move(*server);
    const std::string kubeconfig = dir_.path() + "/test.kubeconfig";
    std::ofstream(kubeconfig) << server_->kubeconfig();
    auto config = kube::load_kubeconfig(kubeconfig);
    ASSERT_TRUE(config) << config.error().detail;
    client_ = std::make_unique<kube::Client>(loop_.io(), loop_.scheduler(), *config);
    events_ = std::make_unique<kube::EventRecorder>(*client_, "gateway");
    for (const auto& resource :
         {api::kGatewayClasses, api::kGateways, api::kHttpRoutes, api::kReferenceGrants})
      must(client_->create(kCrds, crd(resource)));
    if (has_grpc_routes()) must(client_->create(kCrds, crd(api::kGrpcRoutes)));
  }
  virtual bool has_grpc_routes() const { return true; }
  void TearDown() override {
    controller_.reset();
    events_.reset();
    client_.reset();
    server_.reset();
    loop_.io().poll();
  }

  template <typename T>
  Result<T> wait(Task<Result<T>> task) {
    std::optional<Result<T>> out;
    auto run = [](Task<Result<T>> inner, std::optional<Result<T>>& result) -> Task<void> {
      result.emplace(co_await std::move(inner));
    };
    net::spawn(loop_.io(), run(std::move(task), out));
    EXPECT_TRUE(until([&] { return out.has_value(); }));
    return out ? std::move(*out) : Result<T>(Error{ErrorCode::kTimeout, "test"});
  }
  template <typename T>
  T must(Task<Result<T>> task) {
    auto result = wait(std::move(task));
    EXPECT_TRUE(result) << (result ? "" : result.error().detail);
    return result ? std::move(*result) : T{};
  }
  // Runs the loop until it holds; false after 20 s.
  bool until(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop_.io().run_one_for(std::chrono::milliseconds(50));
    }
    return true;
  }

  static api::Resource resource_of(const Json& object) {
    const std::string kind = json::string_at(object, "kind");
    for (const auto& r :
         {api::kGatewayClasses, api::kGateways, api::kHttpRoutes, api::kGrpcRoutes, api::kTlsRoutes,
          api::kTcpRoutes, api::kUdpRoutes, api::kReferenceGrants, api::kServices, api::kEndpointSlices}) {
      if (r.kind == kind) return r;
    }
    ADD_FAILURE() << kind;
    return api::kServices;
  }
  void apply(std::string_view text) {
    const auto documents = yaml::parse_all(text);
    ASSERT_TRUE(documents) << documents.error().detail;
    for (const auto& document : *documents)
      must(client_->create(resource_of(document.value), document.value));
  }
  api::Gateway gateway(const std::string& name) {
    return api::decode_gateway(must(client_->get(api::kGateways, {"default", name})));
  }
  api::Route route(const std::string& name) {
    return api::decode_http_route(must(client_->get(api::kHttpRoutes, {"default", name})));
  }

  static std::string said(const std::vector<api::Condition>& conditions, std::string_view type) {
    const auto* found = api::find_condition(conditions, type);
    return found ? found->status + "/" + found->reason + "/" + std::to_string(found->observed_generation)
                 : "none";
  }
  std::string gateway_says(const std::string& name, std::string_view type) {
    return said(gateway(name).status.conditions, type);
  }
  std::string route_says(const std::string& name, std::string_view type) {
    const auto parents = route(name).status.parents;
    return parents.empty() ? "no parents" : said(parents[0].conditions, type);
  }
  bool becomes(const std::function<std::string()>& value, const std::string& wanted) {
    const bool came = until([&] { return value() == wanted; });
    EXPECT_EQ(value(), wanted);
    return came;
  }

  void start() {
    controller_ = std::make_unique<Controller>(*client_, *events_, Controller::Options{},
                                               [this](routing::TablePtr table) {
                                                 tables_.push_back(table);
                                                 if (serve_) controller_->applied(table, failed_);
                                               });
    controller_->start();
  }

  test::TempDir dir_;
  net::EventLoop loop_;
  std::unique_ptr<apiserver::Server> server_;
  std::unique_ptr<kube::Client> client_;
  std::unique_ptr<kube::EventRecorder> events_;
  std::unique_ptr<Controller> controller_;

  // The fake data plane.
  bool serve_ = true;
  std::vector<std::pair<std::string, std::string>> failed_;
  std::vector<routing::TablePtr> tables_;
};

constexpr std::string_view kShop = R"(
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: tidegate}
spec: {controllerName: tidegate.dev/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: demo, namespace: default}
spec:
  gatewayClassName: tidegate
  listeners: [{name: http, protocol: HTTP, port: 8080}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: default}
spec:
  parentRefs: [{name: demo}]
  rules: [{backendRefs: [{name: stable, port: 80, weight: 100}, {name: canary, port: 80, weight: 0}]}]
---
apiVersion: v1
kind: Service
metadata: {name: stable, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: canary, namespace: default}
spec: {ports: [{name: http, port: 80}]}
)";

TEST_F(ControllerTest, MakesADefaultClassAndAcceptsIt) {
  start();
  ASSERT_TRUE(until([&] {
    auto found = wait(client_->get(api::kGatewayClasses, {"", "tidegate"}));
    return found &&
           said(api::decode_gateway_class(*found).status.conditions, "Accepted") == "True/Accepted/1";
  }));
}

TEST_F(ControllerTest, ProgramsAGatewayAndItsRouteOnceTheProxiesServe) {
  serve_ = false;
  apply(kShop);
  start();
  becomes([&] { return gateway_says("demo", "Programmed"); }, "False/Pending/1");
  becomes([&] { return route_says("shop", "tidegate.dev/Programmed"); }, "False/Pending/1");
  EXPECT_FALSE(controller_->settled());
  EXPECT_EQ(controller_->served_generation("HTTPRoute", "default", "shop"), 0);

  controller_->applied(tables_.back(), {});
  becomes([&] { return gateway_says("demo", "Programmed"); }, "True/Programmed/1");
  becomes([&] { return route_says("shop", "tidegate.dev/Programmed"); }, "True/Programmed/1");
  EXPECT_EQ(route_says("shop", "Accepted"), "True/Accepted/1");
  EXPECT_EQ(route_says("shop", "ResolvedRefs"), "True/ResolvedRefs/1");
  ASSERT_EQ(gateway("demo").status.addresses.size(), 1U);
  EXPECT_EQ(gateway("demo").status.addresses[0].value, tables_.back()->listeners.at(0).address);
  EXPECT_EQ(controller_->served_generation("HTTPRoute", "default", "shop"), 1);
  EXPECT_TRUE(until([&] { return controller_->settled(); }));
  EXPECT_EQ(tables_.size(), 1U) << "statuses are no reason to publish";
}

TEST_F(ControllerTest, ServesAGrpcRouteBesideAnHttpRouteOfTheSameName) {
  apply(kShop);
  apply(R"(
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: shop, namespace: default}
spec:
  parentRefs: [{name: demo}]
  hostnames: [grpc.example]
  rules: [{matches: [{method: {service: shop.Cart}}], backendRefs: [{name: stable, port: 80}]}]
)");
  const Json elsewhere = Json::parse(R"({"spec": {"hostnames": ["web.example"]}})");
  must(client_->patch(api::kHttpRoutes, {"default", "shop"}, kube::PatchType::kMerge, elsewhere));
  start();
  ASSERT_TRUE(until([&] { return controller_->settled(); }));
  const auto grpc = api::decode_grpc_route(must(client_->get(api::kGrpcRoutes, {"default", "shop"})));
  ASSERT_EQ(grpc.status.parents.size(), 1U);
  EXPECT_EQ(said(grpc.status.parents[0].conditions, "tidegate.dev/Programmed"), "True/Programmed/1");
  EXPECT_EQ(controller_->served_generation("GRPCRoute", "default", "shop"), 1);
  EXPECT_EQ(controller_->served_generation("HTTPRoute", "default", "shop"), 2);
}

TEST_F(ControllerTest, TellsRoutesOfTlsTcpAndUdpThatTheyAreServed) {
  const auto kinds = {&api::kTlsRoutes, &api::kTcpRoutes, &api::kUdpRoutes};
  for (const auto* kind : kinds) must(client_->create(kCrds, crd(*kind)));
  apply(kShop);
  apply(R"(
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: raw, namespace: default}
spec:
  gatewayClassName: tidegate
  listeners:
    - {name: tls, protocol: TLS, port: 443, tls: {mode: Passthrough}}
    - {name: tcp, protocol: TCP, port: 53}
    - {name: udp, protocol: UDP, port: 53}
)");
  for (const auto* kind : kinds) {
    apply("{apiVersion: gateway.networking.k8s.io/v1, kind: " + std::string(kind->kind) +
          ", metadata: {name: raw, namespace: default}, spec: {parentRefs: [{name: raw}], hostnames: "
          "[db.example], rules: [{backendRefs: [{name: stable, port: 80}]}]}}");
  }
  start();
  ASSERT_TRUE(until([&] { return controller_->settled(); }));
  EXPECT_EQ(gateway_says("raw", "Programmed"), "True/Programmed/1");
  for (const auto* kind : kinds) {
    const auto found = api::decode_http_route(must(client_->get(*kind, {"default", "raw"})));
    ASSERT_EQ(found.status.parents.size(), 1U) << kind->kind;
    EXPECT_EQ(said(found.status.parents[0].conditions, "tidegate.dev/Programmed"), "True/Programmed/1");
    EXPECT_EQ(controller_->served_generation(std::string(kind->kind), "default", "raw"), 1);
  }
}

TEST_F(ControllerTest, PublishesAWeightChange) {
  apply(kShop);
  start();
  ASSERT_TRUE(until([&] { return controller_->settled(); }));
  const Json patch =
      Json::parse(R"([{"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 95},
                                     {"op": "replace", "path": "/spec/rules/0/backendRefs/1/weight", "value": 5}])");
  must(client_->patch(api::kHttpRoutes, {"default", "shop"}, kube::PatchType::kJson, patch));
  ASSERT_TRUE(until([&] { return controller_->served_generation("HTTPRoute", "default", "shop") == 2; }));
  EXPECT_EQ(tables_.back()->listeners[0].rules[0]->backends[1].weight, 5U);
  becomes([&] { return route_says("shop", "tidegate.dev/Programmed"); }, "True/Programmed/2");
}

// So soon that the translation never meets the gap, and wants the same status as before.
TEST_F(ControllerTest, WritesTheStatusOfARouteMadeAnewAtOnce) {
  apply(kShop);
  start();
  ASSERT_TRUE(until([&] { return controller_->settled(); }));
  Json shop = must(client_->get(api::kHttpRoutes, {"default", "shop"}));
  shop["metadata"] = {{"name", "shop"}, {"namespace", "default"}};
  shop.erase("status");
  ASSERT_TRUE(wait(client_->remove(api::kHttpRoutes, {"default", "shop"})));
  must(client_->create(api::kHttpRoutes, shop));
  becomes([&] { return route_says("shop", "Accepted"); }, "True/Accepted/1");
}

TEST_F(ControllerTest, SaysWhyAListenerCannotBeOpened) {
  failed_ = {{"127.77.0.1:8080", "address is in use"}};
  apply(kShop);
  start();
  becomes([&] { return gateway_says("demo", "Programmed"); }, "False/Invalid/1");
  const auto status = gateway("demo").status;
  EXPECT_EQ(said(status.listeners.at(0).conditions, "Programmed"), "False/PortUnavailable/1");
  EXPECT_NE(
      api::find_condition(status.listeners[0].conditions, "Programmed")->message.find("address is in use"),
      std::string::npos);
}

TEST_F(ControllerTest, LeavesEntriesOfOtherControllersAlone) {
  apply(kShop);
  Json patch;
  patch["status"]["parents"] = Json::parse(
      R"([{"parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "theirs"},
      "controllerName": "example.com/other", "conditions": []}])");
  must(client_->patch(api::kHttpRoutes, {"default", "shop"}, kube::PatchType::kMerge, patch, "status"));
  start();
  ASSERT_TRUE(until([&] { return controller_->settled(); }));
  const auto parents = route("shop").status.parents;
  ASSERT_EQ(parents.size(), 2U);
  EXPECT_EQ(parents[0].controller, "example.com/other");
  EXPECT_EQ(parents[1].controller, kControllerName);
}

TEST_F(ControllerTest, TellsARejectedRouteByAnEvent) {
  apply(kShop);
  const Json patch = Json::parse(R"({"spec": {"parentRefs": [{"name": "demo", "sectionName": "none"}]}})");
  must(client_->patch(api::kHttpRoutes, {"default", "shop"}, kube::PatchType::kMerge, patch));
  start();
  becomes([&] { return route_says("shop", "Accepted"); }, "False/NoMatchingParent/2");
  ASSERT_TRUE(until([&] {
    auto list = must(client_->list(api::kEvents, {}));
    return std::any_of(list.items.begin(), list.items.end(), [](const Json& event) {
      return json::string_at(event, "reason") == "NoMatchingParent" &&
             json::string_at(event, "type") == "Warning";
    });
  }));
}

TEST_F(ControllerTest, KeepsAddressesOverARestart) {
  apply(kShop);
  start();
  ASSERT_TRUE(until([&] { return controller_->settled(); }));
  const auto before = gateway("demo").status.addresses;
  controller_.reset();
  apply(
      R"({apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: aaa, namespace: default},
      spec: {gatewayClassName: tidegate, listeners: [{name: http, protocol: HTTP, port: 8080}]}})");
  start();
  becomes([&] { return gateway_says("aaa", "Programmed"); }, "True/Programmed/1");
  EXPECT_EQ(gateway("demo").status.addresses, before);
  EXPECT_NE(gateway("aaa").status.addresses, before);
}

class WithoutGrpcRoutes : public ControllerTest {
  bool has_grpc_routes() const override { return false; }
};

TEST_F(WithoutGrpcRoutes, ServesTheOthersAndFindsThemOnceTheyAreThere) {
  apply(kShop);
  // Or it would be in the way of a younger GRPCRoute.
  const Json named = Json::parse(R"({"spec": {"hostnames": ["web.example"]}})");
  must(client_->patch(api::kHttpRoutes, {"default", "shop"}, kube::PatchType::kMerge, named));
  start();
  becomes([&] { return route_says("shop", "tidegate.dev/Programmed"); }, "True/Programmed/2");
  must(client_->create(kCrds, crd(api::kGrpcRoutes)));
  apply(R"(
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: calls, namespace: default}
spec:
  parentRefs: [{name: demo}]
  hostnames: [calls.example.com]
  rules: [{backendRefs: [{name: stable, port: 80}]}]
)");
  EXPECT_TRUE(until([&] {
    return !tables_.empty() &&
           std::ranges::any_of(tables_.back()->listeners[0].rules,
                               [](const routing::Rule& rule) { return rule.route.kind == "GRPCRoute"; });
  }));
}

}  // namespace
}  // namespace tidegate::gateway
