// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/resource_type.h"

#include <gtest/gtest.h>

#include <set>

#include "base/yaml.h"

namespace tidegate::apiserver::schema {
namespace {

constexpr std::string_view kWidgets = R"(
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, shortNames: [w], categories: [all]}
  versions:
  - {name: v1alpha1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size, priority: 1}]
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object}}}}
)";

Json widgets() { return yaml::parse_all(kWidgets)->front().value; }

ResourceTypePtr builtin(std::string_view kind) {
  for (const auto& type : builtin_types()) {
    if (type->kind == kind) return type;
  }
  return nullptr;
}

TEST(DecodeCrd, FillsInNamesThatAreNotGiven) {
  const auto type = decode_crd(widgets());
  ASSERT_TRUE(type.has_value()) << type.error().detail;
  EXPECT_EQ(type->list_kind, "WidgetList");
  EXPECT_EQ(type->singular, "widget");
  EXPECT_EQ(type->short_names, std::vector<std::string>{"w"});
  EXPECT_TRUE(type->namespaced);
  EXPECT_FALSE(type->builtin);
}

TEST(DecodeCrd, ReadsWhatVersionsOffer) {
  const auto type = decode_crd(widgets());
  ASSERT_TRUE(type.has_value());
  EXPECT_EQ(type->storage_version().name, "v1");
  EXPECT_FALSE(type->version("v1alpha1")->status);
  EXPECT_TRUE(type->version("v1")->status);
  ASSERT_TRUE(type->version("v1")->scale.has_value());
  EXPECT_EQ(type->version("v1")->scale->spec_replicas, ".spec.replicas");
  ASSERT_EQ(type->version("v1")->columns.size(), 1U);
  EXPECT_EQ(type->version("v1")->columns[0].priority, 1);
  EXPECT_EQ(type->version("v2"), nullptr);
  EXPECT_EQ(type->api_version("v1"), "example.com/v1");
}

struct Refusal {
  const char* name;
  const char* pointer;
  const char* value;  // JSON; "" removes
  const char* field;  // that the error names
};
class DecodeCrdRefuses : public testing::TestWithParam<Refusal> {};
TEST_P(DecodeCrdRefuses, NamingTheField) {
  Json crd = widgets();
  const Json::json_pointer pointer(GetParam().pointer);
  if (*GetParam().value) {
    crd[pointer] = Json::parse(GetParam().value);
  } else {
    crd[pointer.parent_pointer()].erase(pointer.back());
  }
  const auto type = decode_crd(crd);
  ASSERT_FALSE(type.has_value());
  EXPECT_EQ(type.error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(type.error().detail.starts_with(std::string(GetParam().field) + ": ")) << type.error().detail;
}
INSTANTIATE_TEST_SUITE_P(
    All, DecodeCrdRefuses,
    testing::Values(Refusal{"spec", "/spec", "", "spec"},
                    Refusal{"kind", "/spec/names/kind", "", "spec.names.kind"},
                    Refusal{"plural", "/spec/names/plural", "\"Widgets\"", "spec.names.plural"},
                    Refusal{"scope", "/spec/scope", "\"Global\"", "spec.scope"},
                    Refusal{"group", "/spec/group", "\"\"", "spec.group"},
                    Refusal{"name", "/metadata/name", "\"w.example.com\"", "metadata.name"},
                    Refusal{"no_versions", "/spec/versions", "[]", "spec.versions"},
                    Refusal{"two_stored", "/spec/versions/0/storage", "true", "spec.versions"},
                    Refusal{"none_stored", "/spec/versions/1/storage", "false", "spec.versions"},
                    Refusal{"same_name", "/spec/versions/0/name", "\"v1\"", "spec.versions[1].name"},
                    Refusal{"no_schema", "/spec/versions/0/schema", "",
                            "spec.versions[0].schema.openAPIV3Schema"},
                    Refusal{"scale", "/spec/versions/1/subresources/scale/specReplicasPath", "",
                            "spec.versions[1].subresources.scale.specReplicasPath"}),
    [](const auto& info) { return info.param.name; });

TEST(BuiltinTypes, AreThoseThatClientsExpect) {
  std::set<std::string> found;
  for (const auto& type : builtin_types()) {
    found.insert(type->api_version(type->storage_version().name) + "/" + type->plural);
    EXPECT_TRUE(type->builtin) << type->kind;
  }
  const std::set<std::string> expected = {"v1/namespaces",
                                          "v1/nodes",
                                          "v1/serviceaccounts",
                                          "v1/configmaps",
                                          "v1/secrets",
                                          "v1/endpoints",
                                          "v1/events",
                                          "v1/services",
                                          "v1/pods",
                                          "apps/v1/replicasets",
                                          "apps/v1/deployments",
                                          "batch/v1/jobs",
                                          "discovery.k8s.io/v1/endpointslices",
                                          "coordination.k8s.io/v1/leases",
                                          "rbac.authorization.k8s.io/v1/roles",
                                          "rbac.authorization.k8s.io/v1/clusterroles",
                                          "rbac.authorization.k8s.io/v1/rolebindings",
                                          "rbac.authorization.k8s.io/v1/clusterrolebindings",
                                          "apiextensions.k8s.io/v1/customresourcedefinitions"};
  EXPECT_EQ(found, expected);
}

TEST(BuiltinTypes, HoldNoReferences) {
  for (const auto& type : builtin_types()) {
    EXPECT_EQ(json::dump(type->storage_version().schema).find("$ref"), std::string::npos) << type->kind;
  }
}

TEST(BuiltinTypes, DeploymentHasScaleStatusAndTypedTemplates) {
  const auto type = builtin("Deployment");
  ASSERT_NE(type, nullptr);
  const Version& version = type->storage_version();
  EXPECT_TRUE(version.status);
  ASSERT_TRUE(version.scale.has_value());
  EXPECT_EQ(json::string_at(version.schema,
                            "properties.spec.properties.template.properties.spec.properties.containers."
                            "x-kubernetes-patch-merge-key"),
            "name");
}

}  // namespace
}  // namespace tidegate::apiserver::schema
