// SPDX-License-Identifier: Apache-2.0
// The CRDs in crds/gateway-api do what the Gateway API says: they decode, complete a short route and find
// mistakes.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apiserver/schema/resource_type.h"
#include "apiserver/schema/structural.h"
#include "base/yaml.h"

namespace tidegate::apiserver::schema {
namespace {

Json from_yaml(std::string_view text) { return yaml::parse_all(text)->front().value; }

Json read_crd(const std::string& plural) {
  std::ifstream file(TIDEGATE_CRDS "/gateway-api/" + plural + ".yaml");
  EXPECT_TRUE(file.is_open()) << plural;
  std::stringstream text;
  text << file.rdbuf();
  const auto documents = yaml::parse_all(text.str());
  EXPECT_TRUE(documents.has_value()) << documents.error().detail;
  return documents && !documents->empty() ? documents->front().value : Json();
}

ResourceType type_of(const std::string& plural) {
  auto type = decode_crd(read_crd(plural));
  EXPECT_TRUE(type.has_value()) << type.error().detail;
  return type ? *type : ResourceType{};
}

struct Kind {
  const char* plural;
  const char* storage;
  const char* short_name;
};
class GatewayApi : public testing::TestWithParam<Kind> {};
TEST_P(GatewayApi, DecodesAndServesBothVersions) {
  const ResourceType type = type_of(GetParam().plural);
  ASSERT_NE(type.version("v1"), nullptr);
  ASSERT_NE(type.version("v1beta1"), nullptr);
  EXPECT_EQ(type.storage_version().name, GetParam().storage);
  EXPECT_EQ(type.version("v1")->schema, type.version("v1beta1")->schema);
  const std::string expected = GetParam().short_name;
  EXPECT_EQ(type.short_names,
            expected.empty() ? std::vector<std::string>() : std::vector<std::string>{expected});
}
TEST_P(GatewayApi, CarriesTheBundleVersionThatTheConformanceSuiteAsksFor) {
  const Json annotations = read_crd(GetParam().plural).at("metadata").at("annotations");
  EXPECT_EQ(annotations.at("gateway.networking.k8s.io/bundle-version"), "v1.6.1");
  EXPECT_EQ(annotations.at("gateway.networking.k8s.io/channel"), "standard");
}
INSTANTIATE_TEST_SUITE_P(All, GatewayApi,
                         testing::Values(Kind{"gatewayclasses", "v1", "gc"}, Kind{"gateways", "v1", "gtw"},
                                         Kind{"httproutes", "v1", ""},
                                         Kind{"referencegrants", "v1beta1", "refgrant"}),
                         [](const auto& info) { return info.param.plural; });

TEST(BackendTlsPolicy, IsServedAsTheSpecificationNamesIt) {
  const ResourceType type = type_of("backendtlspolicies");
  EXPECT_EQ(type.storage_version().name, "v1");
  EXPECT_EQ(type.short_names, std::vector<std::string>{"btlspolicy"});
}

TEST(Layer4Routes, AreServedAndCompleted) {
  for (const std::string plural : {"tlsroutes", "tcproutes", "udproutes"}) {
    const ResourceType type = type_of(plural);
    EXPECT_EQ(type.storage_version().name, "v1");
    const Json& schema = type.version("v1")->schema;
    Json route =
        from_yaml("{spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: a, port: 1}]}]}}");
    if (plural == "tlsroutes") route["spec"]["hostnames"] = {"a.example", "*.b.example"};
    EXPECT_TRUE(prune(route, schema).empty());
    apply_defaults(route, schema);
    EXPECT_TRUE(validate(route, schema).empty()) << plural;
    EXPECT_EQ(json::int_at(route, "/spec/rules/0/backendRefs/0/weight"), 1);
    route["spec"]["rules"].push_back(route["spec"]["rules"][0]);
    EXPECT_EQ(validate(route, schema).size(), 1U) << plural;
  }
}

TEST(GrpcRoute, ShortOnesAreCompleted) {
  const Json schema = type_of("grpcroutes").version("v1")->schema;
  Json route = from_yaml(R"(
metadata: {name: a}
spec:
  parentRefs: [{name: gw}]
  rules: [{matches: [{method: {service: shop.Cart}}], backendRefs: [{name: web, port: 80}]}]
)");
  EXPECT_TRUE(prune(route, schema).empty());
  apply_defaults(route, schema);
  EXPECT_TRUE(validate(route, schema).empty());
  EXPECT_EQ(json::dump(*json::find(route, "/spec/rules/0/matches/0/method")),
            R"({"service":"shop.Cart","type":"Exact"})");
  EXPECT_EQ(json::int_at(route, "/spec/rules/0/backendRefs/0/weight"), 1);
}

TEST(HttpRoute, ShortOnesAreCompleted) {
  const Json schema = type_of("httproutes").version("v1")->schema;
  Json route = from_yaml(R"(
metadata: {name: a}
spec:
  parentRefs: [{name: gw}]
  rules: [{backendRefs: [{name: web, port: 80}], filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}, {type: CORS, cors: {}}]}]
)");
  EXPECT_TRUE(prune(route, schema).empty());
  apply_defaults(route, schema);
  EXPECT_TRUE(validate(route, schema).empty());
  EXPECT_EQ(json::dump(*json::find(route, "/spec/parentRefs/0")),
            R"({"group":"gateway.networking.k8s.io","kind":"Gateway","name":"gw"})");
  EXPECT_EQ(json::dump(*json::find(route, "/spec/rules/0/matches")),
            R"([{"path":{"type":"PathPrefix","value":"/"}}])");
  EXPECT_EQ(json::dump(*json::find(route, "/spec/rules/0/backendRefs/0")),
            R"({"group":"","kind":"Service","name":"web","port":80,"weight":1})");
  EXPECT_EQ(json::int_at(route, "/spec/rules/0/filters/0/requestRedirect/statusCode"), 302);
  EXPECT_EQ(json::int_at(route, "/spec/rules/0/filters/1/cors/maxAge"), 5);
}

struct Mistake {
  const char* name;
  const char* spec;
  const char* field;
};
class HttpRouteMistakes : public testing::TestWithParam<Mistake> {};
TEST_P(HttpRouteMistakes, AreNamed) {
  const Json schema = type_of("httproutes").version("v1")->schema;
  Json route = {{"spec", from_yaml(GetParam().spec)}};
  apply_defaults(route, schema);
  const auto errors = validate(route, schema);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].field, GetParam().field);
}
INSTANTIATE_TEST_SUITE_P(
    All, HttpRouteMistakes,
    testing::Values(
        Mistake{"no_rules", "{rules: []}", "spec.rules"},
        Mistake{"hostname", "{hostnames: [A.com]}", "spec.hostnames[0]"},
        Mistake{"weight", "{rules: [{backendRefs: [{name: a, weight: -1}]}]}",
                "spec.rules[0].backendRefs[0].weight"},
        Mistake{"method", "{rules: [{matches: [{method: get}]}]}", "spec.rules[0].matches[0].method"},
        Mistake{"filter", "{rules: [{filters: [{type: Rewrite}]}]}", "spec.rules[0].filters[0].type"},
        Mistake{"status",
                "{rules: [{filters: [{type: RequestRedirect, requestRedirect: {statusCode: 200}}]}]}",
                "spec.rules[0].filters[0].requestRedirect.statusCode"},
        Mistake{"same_header",
                "{rules: [{matches: [{headers: [{name: a, value: x}, {name: a, value: y}]}]}]}",
                "spec.rules[0].matches[0].headers[1]"},
        Mistake{"timeout", "{rules: [{timeouts: {request: 1 hour}}]}", "spec.rules[0].timeouts.request"},
        Mistake{"mirror", "{rules: [{filters: [{type: RequestMirror, requestMirror: {percent: 10}}]}]}",
                "spec.rules[0].filters[0].requestMirror.backendRef"}),
    [](const auto& info) { return info.param.name; });

TEST(Gateway, DefaultsRoutesOfItsNamespaceAndPendingConditions) {
  const Json schema = type_of("gateways").version("v1")->schema;
  Json gateway = from_yaml(
      "{spec: {gatewayClassName: t, listeners: [{name: http, port: 80, protocol: HTTP, tls: "
      "{certificateRefs: [{name: s}]}}]}}");
  apply_defaults(gateway, schema);
  EXPECT_TRUE(validate(gateway, schema).empty());
  EXPECT_EQ(json::string_at(gateway, "/spec/listeners/0/allowedRoutes/namespaces/from"), "Same");
  EXPECT_EQ(json::string_at(gateway, "/spec/listeners/0/tls/mode"), "Terminate");
  EXPECT_EQ(json::string_at(gateway, "/spec/listeners/0/tls/certificateRefs/0/kind"), "Secret");
  EXPECT_EQ(json::array_at(gateway, "status.conditions").size(), 2U);
}

}  // namespace
}  // namespace tidegate::apiserver::schema
