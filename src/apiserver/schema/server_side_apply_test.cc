// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apiserver/schema/field_set.h"
#include "apiserver/schema/managed_fields.h"
#include "apiserver/schema/patch.h"
#include "base/yaml.h"

namespace tidegate::apiserver::schema {
namespace {

Json from_yaml(std::string_view text) { return yaml::parse_all(text)->front().value; }

const Json& schema() {
  static const Json it = from_yaml(R"(
type: object
properties:
  spec:
    type: object
    properties:
      replicas: {type: integer}
      atomic: {type: array, items: {type: string}}
      whole: {type: object, x-kubernetes-map-type: atomic, additionalProperties: {type: string}}
      tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
      ports:
        type: array
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [port, protocol]
        items: {type: object, properties: {port: {type: integer}, protocol: {type: string, default: TCP}, name: {type: string}}}
)");
  return it;
}

ApplyOptions by(const char* manager, bool force = false, const char* time = "2026-01-01T00:00:00Z") {
  return {.manager = manager, .operation_time = time, .api_version = "example.com/v1", .force = force};
}

Json spec_of(const Json& object) { return object.value("spec", Json()); }

Json apply(const Json* live, const char* applied, const ApplyOptions& options) {
  auto result = server_side_apply(live, from_yaml(applied), schema(), options);
  EXPECT_TRUE(result.has_value()) << result.error().detail;
  return result ? *result : Json();
}

Json update(const Json& before, const char* pointer, Json value, const ApplyOptions& options) {
  Json now = before;
  now[Json::json_pointer(pointer)] = std::move(value);
  record_update(now, &before, schema(), options);
  return now;
}

std::string owned_by(const Json& object, const char* manager) {
  std::string out;
  for (const auto& entry : managed_entries(object)) {
    if (entry.manager != manager) continue;
    for (const auto& path : entry.fields) out += (out.empty() ? "" : " ") + to_text(path);
  }
  return out;
}

TEST(FieldSets, AreWrittenAsFieldsV1) {
  const Json object = from_yaml(
      "{apiVersion: v1, kind: A, metadata: {name: a, uid: u, labels: {x.y/z: v}}, spec: {replicas: 1, "
      "atomic: [a], whole: {a: b}, "
      "tags: [p], ports: [{port: 80, name: web}]}}");
  const FieldSet fields = fields_of(object, schema());
  const Json expected = from_yaml(R"({
    "f:metadata": {"f:labels": {"f:x.y/z": {}}},
    "f:spec": {"f:replicas": {}, "f:atomic": {}, "f:whole": {}, "f:tags": {"v:\"p\"": {}},
      "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}, "f:name": {}}}}})");
  EXPECT_EQ(json::dump(encode_fields(fields)), json::dump(expected));
  EXPECT_EQ(decode_fields(expected), fields);
}

TEST(FieldSets, FindWhatTheyName) {
  const Json object = from_yaml("{spec: {ports: [{port: 79}, {port: 80, name: web}], tags: [p]}}");
  const FieldPath port = {"f:spec", "f:ports", R"(k:{"port":80,"protocol":"TCP"})", "f:name"};
  ASSERT_NE(field_at(object, port), nullptr);
  EXPECT_EQ(*field_at(object, port), "web");
  EXPECT_EQ(to_text(port), R"(spec.ports[port=80,protocol="TCP"].name)");
  EXPECT_NE(field_at(object, {"f:spec", "f:tags", R"(v:"p")"}), nullptr);
  EXPECT_EQ(field_at(object, {"f:spec", "f:tags", R"(v:"q")"}), nullptr);
}

TEST(Apply, CreatesWithAnOwner) {
  const Json object = apply(nullptr, "{metadata: {name: a}, spec: {replicas: 1, none: null}}", by("x"));
  EXPECT_EQ(json::dump(spec_of(object)), R"({"replicas":1})");
  const Json& entry = object.at("metadata").at("managedFields")[0];
  EXPECT_EQ(json::string_at(entry, "operation"), "Apply");
  EXPECT_EQ(json::string_at(entry, "fieldsType"), "FieldsV1");
  EXPECT_EQ(owned_by(object, "x"), "spec.replicas");
}

TEST(Apply, RemovesWhatIsNoLongerApplied) {
  const Json live = apply(nullptr,
                          "{metadata: {labels: {a: b}}, spec: {replicas: 1, tags: [p, q], ports: [{port: 80, "
                          "name: w}, {port: 81}]}}",
                          by("x"));
  const Json now = apply(&live, "{spec: {tags: [q], ports: [{port: 81}]}}", by("x"));
  EXPECT_EQ(json::dump(spec_of(now)), R"({"ports":[{"port":81}],"tags":["q"]})");
  EXPECT_EQ(json::find(now, "metadata.labels"), nullptr);
}

TEST(Apply, KeepsWhatOthersOwnToo) {
  const Json first = apply(nullptr, "{spec: {replicas: 1, ports: [{port: 80, name: w}]}}", by("x"));
  const Json second = apply(&first, "{spec: {replicas: 1, ports: [{port: 80}]}}", by("y"));
  const Json now = apply(&second, "{spec: {}}", by("x"));
  EXPECT_EQ(json::dump(spec_of(now)), R"({"ports":[{"port":80}],"replicas":1})");
}

TEST(Apply, ReportsConflictsWithFieldAndManager) {
  const Json live = apply(nullptr, "{spec: {replicas: 1, ports: [{port: 80, name: w}]}}", by("x"));
  const auto result = server_side_apply(
      &live, from_yaml("{spec: {replicas: 2, ports: [{port: 80, name: v}]}}"), schema(), by("y"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kConflict);
  EXPECT_EQ(result.error().detail, "spec.ports[port=80,protocol=\"TCP\"].name\tx\nspec.replicas\tx");
}

TEST(Apply, ForceTakesFieldsOver) {
  const Json live = apply(nullptr, "{spec: {replicas: 1, atomic: [a]}}", by("x"));
  const Json now = apply(&live, "{spec: {replicas: 2}}", by("y", true));
  EXPECT_EQ(json::dump(spec_of(now)), R"({"atomic":["a"],"replicas":2})");
  EXPECT_EQ(owned_by(now, "x"), "spec.atomic");
  EXPECT_EQ(owned_by(now, "y"), "spec.replicas");
}

TEST(Apply, TheSameValueIsShared) {
  const Json live = apply(nullptr, "{spec: {whole: {a: b}}}", by("x"));
  const Json now = apply(&live, "{spec: {whole: {a: b}}}", by("y"));
  EXPECT_EQ(owned_by(now, "x"), "spec.whole");
  EXPECT_EQ(owned_by(now, "y"), "spec.whole");
}

TEST(Apply, AgainWithoutChangeLeavesTheTime) {
  const Json live = apply(nullptr, "{spec: {replicas: 1}}", by("x"));
  EXPECT_EQ(apply(&live, "{spec: {replicas: 1}}", by("x", false, "2026-02-02T00:00:00Z")), live);
}

TEST(Apply, DefaultsInsideOfAWholeListAreNoConflict) {
  const Json live = from_yaml(
      R"({"spec": {"rules": [{"name": "a", "weight": 1}]}, "metadata": {"managedFields": [{"manager": "x",
      "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": {"f:rules": {}}}}]}})");
  const Json rules = from_yaml(
      "{type: object, properties: {spec: {type: object, properties: {rules: {type: array, items: {type: "
      "object, properties: {name: {type: "
      "string}, weight: {type: integer, default: 1}}}}}}}}");
  EXPECT_TRUE(
      server_side_apply(&live, from_yaml("{spec: {rules: [{name: a}]}}"), rules, by("y")).has_value());
  EXPECT_FALSE(
      server_side_apply(&live, from_yaml("{spec: {rules: [{name: b}]}}"), rules, by("y")).has_value());
}

TEST(Apply, AnUpdateTakesFieldsFromTheirApplier) {
  const Json live = apply(nullptr, "{spec: {replicas: 1, atomic: [a]}}", by("x"));
  const Json scaled = update(live, "/spec/replicas", 5, by("hpa"));
  EXPECT_EQ(owned_by(scaled, "x"), "spec.atomic");
  EXPECT_EQ(owned_by(scaled, "hpa"), "spec.replicas");
  EXPECT_FALSE(server_side_apply(&scaled, from_yaml("{spec: {replicas: 1}}"), schema(), by("x")).has_value());
  // No longer applying a field that someone else took leaves it alone.
  EXPECT_EQ(json::int_at(apply(&scaled, "{spec: {atomic: [a]}}", by("x")), "spec.replicas"), 5);
}

TEST(Apply, RefusesManagedFieldsInWhatIsApplied) {
  const auto result =
      server_side_apply(nullptr, from_yaml("{metadata: {managedFields: []}}"), schema(), by("x"));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kInvalid);
}

TEST(RecordUpdate, ForgetsFieldsThatAreGone) {
  Json live = from_yaml("{spec: {replicas: 1, tags: [a, b]}}");
  record_update(live, nullptr, schema(), by("x"));
  EXPECT_EQ(owned_by(live, "x"), R"(spec.replicas spec.tags[="a"] spec.tags[="b"])");
  const Json now = update(live, "/spec/tags", {"b"}, by("y"));
  EXPECT_EQ(owned_by(now, "x"), R"(spec.replicas spec.tags[="b"])");
  EXPECT_EQ(owned_by(now, "y"), "");
}

TEST(RecordUpdate, KeepsABoundedNumberOfUpdaters) {
  Json live = from_yaml("{spec: {}}");
  for (int i = 0; i < 20; ++i) {
    const std::string name = "m" + std::to_string(i), field = "/spec/f" + std::to_string(i);
    live = update(live, field.c_str(), i, by(name.c_str()));
  }
  EXPECT_EQ(managed_entries(live).size(), 10U);
  EXPECT_EQ(owned_by(live, "m19"), "spec.f19");
  EXPECT_NE(owned_by(live, "ancient-changes"), "");
}

}  // namespace
}  // namespace tidegate::apiserver::schema
