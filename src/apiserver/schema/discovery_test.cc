// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/discovery.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "apiserver/schema/openapi.h"
#include "apiserver/schema/version_order.h"
#include "apiserver/schema/wire.h"
#include "base/yaml.h"

namespace tidegate::apiserver::schema {
namespace {

Types types() {
  Types all = builtin_types();
  auto crd = decode_crd(yaml::parse_all(R"(
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, shortNames: [w], categories: [all]}
  versions:
  - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}
  - {name: v1alpha1, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.n, statusReplicasPath: .status.n}}
    schema:
      openAPIV3Schema:
        type: object
        description: A thing.
        properties:
          spec:
            type: object
            required: [n]
            properties: {n: {type: integer, minimum: 1}, port: {x-kubernetes-int-or-string: true}, any: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: string}}}}
)")
                            ->front()
                            .value);
  all.push_back(std::make_shared<ResourceType>(std::move(*crd)));
  return all;
}

const Json* by_name(const Json& list, std::string_view key, std::string_view name) {
  for (const Json& item : list) {
    if (json::string_at(item, key) == name) return &item;
  }
  return nullptr;
}

TEST(VersionOrder, IsKubernetes) {
  std::vector<std::string> names = {"v1alpha1", "v1", "foo", "v2beta1", "v10", "v1beta2", "v2", "v1beta1"};
  std::sort(names.begin(), names.end(), version_before);
  EXPECT_EQ(names, (std::vector<std::string>{"v10", "v2", "v1", "v2beta1", "v1beta2", "v1beta1", "v1alpha1",
                                             "foo"}));
}

TEST(Discovery, GroupsListServedVersionsBestFirst) {
  const Json list = api_group_list(types());
  EXPECT_EQ(by_name(list.at("groups"), "name", ""), nullptr);
  const Json* group = by_name(list.at("groups"), "name", "example.com");
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(
      json::dump(group->at("versions")),
      R"([{"groupVersion":"example.com/v1","version":"v1"},{"groupVersion":"example.com/v1beta1","version":"v1beta1"}])");
  EXPECT_EQ(json::string_at(*group, "preferredVersion.version"), "v1");
  EXPECT_EQ(json::string_at(api_group(types(), "example.com"), "kind"), "APIGroup");
  EXPECT_TRUE(api_group(types(), "nobody.example.com").is_null());
}

TEST(Discovery, ResourcesAndTheirSubresources) {
  const Json list = api_resource_list(types(), "example.com", "v1");
  EXPECT_EQ(json::string_at(list, "groupVersion"), "example.com/v1");
  const Json* widgets = by_name(list.at("resources"), "name", "widgets");
  ASSERT_NE(widgets, nullptr);
  EXPECT_EQ(widgets->at("shortNames"), Json{"w"});
  EXPECT_EQ(widgets->at("categories"), Json{"all"});
  EXPECT_NE(by_name(list.at("resources"), "name", "widgets/status"), nullptr);
  const Json* scale = by_name(list.at("resources"), "name", "widgets/scale");
  ASSERT_NE(scale, nullptr);
  EXPECT_EQ(json::string_at(*scale, "kind"), "Scale");
  EXPECT_EQ(json::string_at(*scale, "group"), "autoscaling");
  EXPECT_NE(by_name(api_resource_list(types(), "", "v1").at("resources"), "name", "pods/log"), nullptr);
  EXPECT_TRUE(api_resource_list(types(), "example.com", "v1alpha1").at("resources").empty());
}

TEST(Discovery, AggregatedSplitsCoreFromTheRest) {
  const Json core = aggregated_discovery(types(), true, "v2");
  EXPECT_EQ(json::string_at(core, "apiVersion"), "apidiscovery.k8s.io/v2");
  ASSERT_EQ(core.at("items").size(), 1U);
  EXPECT_NE(by_name(core.at("items")[0].at("versions")[0].at("resources"), "resource", "pods"), nullptr);
  const Json rest = aggregated_discovery(types(), false, "v2beta1");
  const Json* apps = nullptr;
  for (const Json& item : rest.at("items")) {
    EXPECT_NE(json::string_at(item, "metadata.name"), "");
    if (json::string_at(item, "metadata.name") == "apps") apps = &item;
  }
  ASSERT_NE(apps, nullptr);
  const Json* deployments = by_name(apps->at("versions")[0].at("resources"), "resource", "deployments");
  ASSERT_NE(deployments, nullptr);
  EXPECT_NE(by_name(deployments->at("subresources"), "subresource", "scale"), nullptr);
}

TEST(OpenApiV3, IndexNamesEachGroupVersionAndChangesWithItsSchemas) {
  const Json index = openapi_v3_index(types());
  const Json* entry = json::find(index, "/paths/apis~1example.com~1v1");
  ASSERT_NE(entry, nullptr);
  EXPECT_TRUE(
      json::string_at(*entry, "serverRelativeURL").starts_with("/openapi/v3/apis/example.com/v1?hash="));
  EXPECT_NE(json::find(index, "/paths/api~1v1"), nullptr);
  auto changed = types();
  auto widget = *changed.back();
  widget.versions.back().schema["description"] = "Another thing.";
  changed.back() = std::make_shared<ResourceType>(widget);
  EXPECT_NE(openapi_v3_index(changed).at("paths").at("apis/example.com/v1"), *entry);
  EXPECT_EQ(openapi_v3_index(changed).at("paths").at("apis/apps/v1"), index.at("paths").at("apis/apps/v1"));
}

TEST(OpenApiV3, KindsCarryWhatExplainAndDryRunNeed) {
  const Json document = openapi_v3(types(), "example.com", "v1");
  const Json& kind = document.at("components").at("schemas").at("com.example.v1.Widget");
  EXPECT_EQ(json::dump(kind.at("x-kubernetes-group-version-kind")),
            R"([{"group":"example.com","kind":"Widget","version":"v1"}])");
  EXPECT_EQ(json::int_at(kind, "properties.spec.properties.n.minimum"), 1);
  const Json& patch =
      document.at("paths").at("/apis/example.com/v1/namespaces/{namespace}/widgets/{name}").at("patch");
  EXPECT_NE(by_name(patch.at("parameters"), "name", "dryRun"), nullptr);
  EXPECT_NE(by_name(patch.at("parameters"), "name", "fieldValidation"), nullptr);
}

TEST(OpenApiV2, RelaxesWhatItCannotSay) {
  const Json document = openapi_v2(types());
  const Json& spec = document.at("definitions").at("com.example.v1.Widget").at("properties").at("spec");
  EXPECT_EQ(json::dump(spec.at("properties")), R"({"any":{},"n":{"type":"integer"},"port":{}})");
  EXPECT_TRUE(document.at("definitions").at(kObjectMetaName).contains("properties"));
}

TEST(OpenApiV2, ProtobufHoldsEveryDefinition) {
  std::map<int, std::string_view> parts;
  const std::string bytes = openapi_v2_protobuf(types());
  WireReader reader(bytes);
  while (const auto field = reader.next()) parts[field->number] = field->bytes;
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(parts[1], "2.0");
  std::set<std::string> names;
  WireReader definitions(parts[9]);
  while (const auto field = definitions.next()) {
    WireReader pair(field->bytes);
    names.insert(std::string(pair.next()->bytes));
  }
  EXPECT_TRUE(definitions.ok());
  EXPECT_TRUE(names.contains("com.example.v1.Widget"));
  EXPECT_TRUE(names.contains("apps.v1.Deployment"));
  EXPECT_EQ(names.size(), openapi_v2(types()).at("definitions").size());
}

}  // namespace
}  // namespace tidegate::apiserver::schema
