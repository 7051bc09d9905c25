// SPDX-License-Identifier: Apache-2.0
#include "rollout/observe.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/yaml.h"
#include "rollout/perform.h"
#include "rollout/weights.h"

namespace tidegate::rollout {
namespace {

Json parse(const std::string& text) { return yaml::parse_all(text).value().front().value; }

api::Rollout shop() {
  return read_rollout(parse(R"(
metadata: {name: shop, namespace: team, uid: u1}
spec:
  replicas: 2
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "shop:v1", ports: [{name: web, containerPort: 8080}]}]}
  strategy:
    canary:
      stableService: shop-stable
      canaryService: shop-canary
      trafficRouting: {routes: [{name: shop}]}
)"));
}

const char* kRoute = R"(
metadata: {name: shop, namespace: team, resourceVersion: "7", generation: 3}
spec:
  rules:
    - matches: [{path: {value: /other}}]
      backendRefs: [{name: other, port: 80}]
    - name: checkout
      timeouts: {request: 5s}
      backendRefs:
        - {name: extra, port: 80, weight: 10}
        - {name: shop-stable, port: 8000, weight: 90, filters: [{type: X}]}
)";

struct Served final : metrics::TrafficSource {
  std::int64_t generation = 0;
  metrics::TrafficCounts none;
  const metrics::TrafficCounts& counts() const override { return none; }
  std::int64_t served_generation(const std::string&, const std::string&, const std::string&) const override {
    return generation;
  }
};

TEST(Observe, FindsTheRulesThatNameTheStableService) {
  const auto rollout = shop();
  const auto seen = read_route(rollout, rollout.spec.canary.routes[0], parse(kRoute));
  ASSERT_EQ(seen.rules.size(), 1u);
  EXPECT_EQ(seen.rules[0].index, 1u);
  EXPECT_EQ(seen.rules[0].stable_index, 1u);
  EXPECT_EQ(seen.rules[0].stable_weight, 90);
  EXPECT_EQ(seen.rules[0].others.at(0), 10);
  EXPECT_FALSE(seen.rules[0].canary_index);
}

TEST(Observe, NamesRulesThatAreNotThere) {
  const auto seen = read_route(shop(), {"shop", {"checkout", "cart"}}, parse(kRoute));
  EXPECT_EQ(seen.missing_rules, std::vector<std::string>{"cart"});
  EXPECT_EQ(seen.rules.size(), 1u);
}

TEST(Observe, G3_OurProxiesHaveToAcknowledgeTheGeneration) {
  Json route = parse(kRoute);
  route["status"] = parse(R"(
parents:
  - parentRef: {name: demo}
    controllerName: tidegate.dev/gateway-controller
    conditions:
      - {type: Accepted, status: "True", observedGeneration: 3}
      - {type: ResolvedRefs, status: "True", observedGeneration: 3}
)");
  const auto object = api::make_object(route);
  Served traffic;
  for (const auto& [generation, expected] : {std::pair{2, false}, {3, true}}) {
    traffic.generation = generation;
    EXPECT_EQ(why_not_served("HTTPRoute", route, object.meta, &traffic).empty(), expected) << generation;
  }
}

TEST(Observe, G3_OtherGatewaysHaveToAcceptTheGeneration) {
  Json route = parse(kRoute);
  EXPECT_NE(why_not_served("HTTPRoute", route, api::make_object(route).meta, nullptr), "");
  for (const auto& [observed, expected] : {std::pair{2, false}, {3, true}}) {
    route["status"]["parents"] = Json::array();
    Json parent = parse(R"({parentRef: {name: demo}, controllerName: example.com/other})");
    for (const auto* type : {"Accepted", "ResolvedRefs"}) {
      parent["conditions"].push_back({{"type", type}, {"status", "True"}, {"observedGeneration", observed}});
    }
    route["status"]["parents"].push_back(parent);
    const auto why = why_not_served("HTTPRoute", route, api::make_object(route).meta, nullptr);
    EXPECT_EQ(why.empty(), expected) << why;
  }
}

TEST(Perform, G7_ThePatchTouchesWeightsAlone) {
  const auto rollout = shop();
  const Json route = parse(kRoute);
  const auto seen = read_route(rollout, rollout.spec.canary.routes[0], route);
  const SetWeights action{{"HTTPRoute", "shop"}, "7", 20, {weights_for(seen.rules[0], 20)}};
  const auto patch = route_patch(action, rollout, route);
  ASSERT_TRUE(patch);
  Json patched = route.patch(*patch);  // throws where the test on resourceVersion fails
  const Json& backends = patched["spec"]["rules"][1]["backendRefs"];
  ASSERT_EQ(backends.size(), 3u);
  EXPECT_EQ(backends[0], route["spec"]["rules"][1]["backendRefs"][0]) << "the other backend keeps its share";
  EXPECT_EQ(backends[1]["weight"], 72);
  EXPECT_EQ(backends[2], parse(R"({name: shop-canary, port: 8000, weight: 18, filters: [{type: X}]})"));
  patched["spec"]["rules"][1]["backendRefs"] = route["spec"]["rules"][1]["backendRefs"];
  EXPECT_EQ(patched, route) << "everything else stays";
}

TEST(Observe, G9_AnExperimentThatIsGoneIsStillOneOnTheRoute) {
  const auto rollout = shop();
  const Json route =
      parse(R"({kind: HTTPRoute, metadata: {name: shop, resourceVersion: "7"}, spec: {rules: [{backendRefs: [
    {name: shop-stable, port: 8000, weight: 98}, {name: shop-glfhj5hjml-0-base, port: 8000, weight: 2},
    {name: shop-glfhj5hjml-api, port: 8000, weight: 7}, {name: shop-2-0-base, port: 8000, weight: 7}]}]}})");
  const auto seen = read_route(rollout, rollout.spec.canary.routes[0], route);
  ASSERT_EQ(seen.rules.size(), 1u);
  EXPECT_EQ(seen.rules[0].experiments.size(), 1u);
  EXPECT_TRUE(seen.rules[0].experiments.contains("shop-glfhj5hjml-0-base"));
  EXPECT_EQ(seen.rules[0].others.size(), 2u) << "names of the user's own";
  EXPECT_FALSE(splits(seen.rules[0], 0, {})) << "to be taken off";
}

TEST(Perform, G9_APatchOnAnotherVersionIsRefused) {
  const auto rollout = shop();
  Json route = parse(kRoute);
  const auto seen = read_route(rollout, rollout.spec.canary.routes[0], route);
  const SetWeights action{{"HTTPRoute", "shop"}, "7", 20, {weights_for(seen.rules[0], 20)}};
  const auto patch = route_patch(action, rollout, route);
  ASSERT_TRUE(patch);
  route["metadata"]["resourceVersion"] = "8";
  EXPECT_THROW(route.patch(*patch), Json::exception);
}

TEST(Perform, ReplicaSetsSelectTheirRevisionAlone) {
  const Json set = replica_set_document(shop(), "abc", 2);
  EXPECT_EQ(set["metadata"]["name"], "shop-abc");
  EXPECT_EQ(set["spec"]["selector"]["matchLabels"],
            parse("{app: shop, tidegate.dev/pod-template-hash: abc}"));
  EXPECT_EQ(set["spec"]["template"]["metadata"]["labels"], set["spec"]["selector"]["matchLabels"]);
  EXPECT_EQ(set["metadata"]["ownerReferences"][0]["uid"], "u1");
}

TEST(Perform, MadeServicesReachTheFirstPortThroughTheRoutesPort) {
  Cluster cluster;
  cluster.http_routes.put(parse(kRoute));
  const Json service = service_document(shop(), cluster, {"shop-canary", "abc"});
  EXPECT_EQ(service["spec"]["ports"][0]["port"], 8000);
  EXPECT_EQ(service["spec"]["ports"][0]["targetPort"], "web");
  EXPECT_EQ(service["metadata"]["labels"]["app.kubernetes.io/managed-by"], "tidegate");
}

}  // namespace
}  // namespace tidegate::rollout
