// SPDX-License-Identifier: Apache-2.0
#include "rollout/header_routes.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/yaml.h"
#include "rollout/decide.h"
#include "rollout/mirrors.h"
#include "rollout/observe.h"
#include "rollout/perform.h"

namespace tidegate::rollout {
namespace {

Json parse(const std::string& text) { return yaml::parse_all(text).value().front().value; }

api::Rollout rollout_with(const std::string& routing, const std::string& name = "shop") {
  Json document = parse(R"(
metadata: {name: )" + name +
                        R"(, namespace: team, uid: u1}
spec:
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "shop:v1"}]}
  strategy:
    canary:
      steps:
        - setHeaderRoute: {name: testers, match: [{headerName: x-canary, headerValue: {prefix: "a.b("}}]}
)");
  auto& canary = document["spec"]["strategy"]["canary"];
  canary["stableService"] = name + "-stable";
  canary["canaryService"] = name + "-canary";
  canary["trafficRouting"] = parse(routing);
  return read_rollout(document);
}

const api::SetHeaderRoute& testers(const api::Rollout& rollout) {
  return std::get<api::SetHeaderRoute>(rollout.spec.canary.steps[0]);
}

SeenRoute see(const api::Rollout& rollout, const Json& route) {
  SeenRoute seen = read_route(rollout, rollout.spec.canary.routes.at(0), route);
  seen.document = std::make_shared<const Json>(route);
  return seen;
}

const char* kRoute = R"(
metadata: {name: shop, namespace: team, resourceVersion: "7", generation: 3}
spec:
  parentRefs: [{name: demo, sectionName: https}]
  hostnames: [shop.example.com]
  useDefaultGateways: All
  rules:
    - matches: [{path: {type: PathPrefix, value: /other}}]
      backendRefs: [{name: other, port: 80}]
    - name: checkout
      matches: [{path: {type: PathPrefix, value: /pay}}, {method: POST, headers: [{type: Exact, name: x-a, value: b}]}]
      filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [x-debug]}}]
      timeouts: {request: 5s}
      retry: {attempts: 3}
      sessionPersistence: {sessionName: s}
      somethingNew: {yes: 1}
      backendRefs:
        - {name: extra, port: 80, weight: 10}
        - {name: shop-stable, namespace: team, port: 8000, weight: 90, filters: [{type: X}]}
)";

TEST(HeaderRoutes, G7_CopyEachDrivenRuleWhole) {
  const auto rollout = rollout_with("{routes: [{name: shop}]}");
  const Json route = parse(kRoute);
  const auto spec = header_route_spec(rollout, see(rollout, route), "HTTPRoute", testers(rollout));
  ASSERT_TRUE(spec) << spec.error().detail;
  Json expected = parse(kRoute)["spec"];
  expected["rules"].erase(0);
  Json& rule = expected["rules"][0];
  const Json header = parse(R"({type: RegularExpression, name: x-canary, value: '^a\.b\(.*'})");
  rule["matches"][0]["headers"] = Json::array({header});
  rule["matches"][1]["headers"].push_back(header);
  rule["backendRefs"] =
      parse("[{name: shop-canary, namespace: team, port: 8000, weight: 1, filters: [{type: X}]}]");
  EXPECT_EQ(*spec, expected);
}

TEST(HeaderRoutes, OfAGrpcRouteMatchHeadersAlone) {
  const auto rollout = rollout_with("{routes: [{kind: GRPCRoute, name: shop}]}");
  EXPECT_EQ(managed_route_names(rollout), (std::vector<RouteKey>{{"GRPCRoute", "shop-testers"}}));
  const Json route = parse("{spec: {rules: [{backendRefs: [{name: shop-stable, port: 80}]}]}}");
  const auto spec = header_route_spec(rollout, see(rollout, route), "GRPCRoute", testers(rollout));
  ASSERT_TRUE(spec);
  EXPECT_EQ((*spec)["rules"][0]["matches"],
            parse(R"([{headers: [{type: RegularExpression, name: x-canary, value: '^a\.b\(.*'}]}])"));
}

TEST(HeaderRoutes, HaveANameForEachRoute) {
  const auto rollout = rollout_with("{routes: [{name: web}, {name: api}, {kind: GRPCRoute, name: calls}]}");
  EXPECT_EQ(managed_route_names(rollout), (std::vector<RouteKey>{{"GRPCRoute", "shop-testers"},
                                                                 {"HTTPRoute", "shop-testers"},
                                                                 {"HTTPRoute", "shop-testers-api"}}));
}

TEST(HeaderRoutes, SayWhyThereIsNoRoom) {
  const auto rollout = rollout_with("{routes: [{name: shop}]}");
  Json full = Json::array();
  for (int i = 0; i < 16; ++i) full.push_back({{"name", "x-" + std::to_string(i)}, {"value", "1"}});
  const struct {
    Json headers;
    const char* problem;
  } cases[] = {
      {parse("[{type: Exact, name: X-Canary, value: b}]"),
       "rule 0: has a match on header x-canary of its own"},
      {full, "rule 0: has a match that would have 17 headers; a route allows 16"},
  };
  for (const auto& c : cases) {
    Json route = parse("{spec: {rules: [{backendRefs: [{name: shop-stable, port: 80}]}]}}");
    route["spec"]["rules"][0]["matches"] = Json::array({{{"headers", c.headers}}});
    const auto spec = header_route_spec(rollout, see(rollout, route), "HTTPRoute", testers(rollout));
    ASSERT_FALSE(spec);
    EXPECT_EQ(spec.error().detail, c.problem);
  }
}

TEST(Mirrors, SayWhyThereIsNoRoom) {
  const auto rollout = rollout_with("{routes: [{name: shop}]}");
  const api::SetMirrorRoute step{"shadow", 20, {{"", {{"x-a", {}, "1"}}}, {"", {{"x-b", {}, "1"}}}}};
  Json route = parse("{spec: {rules: []}}");
  for (int rule = 0; rule < 3; ++rule) {
    Json matches = Json::array();
    for (int i = 0; i < 32; ++i) matches.push_back({{"path", {{"value", "/" + std::to_string(i)}}}});
    route["spec"]["rules"].push_back(
        {{"matches", matches}, {"backendRefs", Json::array({{{"name", "shop-stable"}, {"port", 80}}})}});
  }
  const auto spec = mirror_route_spec(rollout, see(rollout, route), "HTTPRoute", step);
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().detail, "it would have 192 matches; a route allows 128");
}

// The document after one write.
Json written(const api::Rollout& rollout, Json route, const RuleWeights& change) {
  const std::string version = json::string_at(route, "metadata.resourceVersion");
  const auto patch = route_patch({{"HTTPRoute", "shop"}, version, 0, {change}}, rollout, route);
  EXPECT_TRUE(patch);
  return route.patch(*patch);
}

TEST(Mirrors, G7_TheRouteIsAsItWasAfterwards) {
  const auto rollout = rollout_with("{routes: [{name: shop}]}");
  const char* filters[] = {
      "", "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: audit, port: 80}}}]",
      "filters: [{type: URLRewrite, urlRewrite: {hostname: h}}]"};
  for (const std::string text : filters) {
    Json route = parse("{metadata: {resourceVersion: '7'}, spec: {rules: [{}]}}");
    if (!text.empty()) route["spec"]["rules"][0] = parse(text);
    route["spec"]["rules"][0]["backendRefs"] = parse("[{name: shop-stable, port: 8000}]");
    RuleWeights change;
    for (const std::int64_t percent : {20, 100}) {
      change.mirror = percent;
      const Json during = written(rollout, route, change);
      const Json& last = during["spec"]["rules"][0]["filters"].back();
      EXPECT_EQ(json::string_at(last, "requestMirror.backendRef.name"), "shop-canary");
      EXPECT_EQ(json::int_at(last, "requestMirror.backendRef.port"), 8000);
      EXPECT_TRUE(mirrors(see(rollout, during).rules.at(0), percent));
      EXPECT_EQ(written(rollout, during, change), during) << "a second time changes nothing";
      change.mirror = 0;
      EXPECT_EQ(written(rollout, during, change), route) << text;
    }
  }
}

// Two Rollouts on one rule, each with Services of its own.
TEST(Mirrors, G7_TwoRolloutsShareARule) {
  const auto shop = rollout_with("{routes: [{name: shop}]}"),
             cart = rollout_with("{routes: [{name: shop}]}", "cart");
  Json route = parse(R"({metadata: {resourceVersion: '7'}, spec: {rules: [{backendRefs: [
    {name: shop-stable, port: 80, weight: 50}, {name: cart-stable, port: 80, weight: 50}]}]}})");
  RuleWeights change;
  change.mirror = 20;
  route = written(cart, written(shop, route, change), change);
  EXPECT_EQ(route["spec"]["rules"][0]["filters"].size(), 2u);
  change.mirror = 0;
  route = written(shop, route, change);
  EXPECT_TRUE(mirrors(see(shop, route).rules.at(0), 0));
  EXPECT_TRUE(mirrors(see(cart, route).rules.at(0), 20)) << "the other Rollout's mirror stays";
}

}  // namespace
}  // namespace tidegate::rollout
