// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/structural.h"

#include <gtest/gtest.h>

#include "apiserver/schema/resource_type.h"
#include "base/yaml.h"

namespace tidegate::apiserver::schema {
namespace {

// YAML in flow form; a document that is only null counts as empty.
Json from_yaml(std::string_view text) {
  const auto documents = yaml::parse_all(text);
  return documents->empty() ? Json() : documents->front().value;
}

struct DocumentCase {
  const char* name;
  const char* schema;
  const char* before;
  const char* after;
};

class Defaults : public testing::TestWithParam<DocumentCase> {};
TEST_P(Defaults, AreFilledIn) {
  Json object = from_yaml(GetParam().before);
  apply_defaults(object, from_yaml(GetParam().schema));
  EXPECT_EQ(json::dump(object), json::dump(from_yaml(GetParam().after)));
}
INSTANTIATE_TEST_SUITE_P(
    All, Defaults,
    testing::Values(
        DocumentCase{"absent", "properties: {a: {default: 1}}", "{}", "{a: 1}"},
        DocumentCase{"present", "properties: {a: {default: 1}}", "{a: 2}", "{a: 2}"},
        DocumentCase{"null_is_absent", "properties: {a: {default: 1}}", "{a: null}", "{a: 1}"},
        DocumentCase{"nullable_null_stays", "properties: {a: {default: 1, nullable: true}}", "{a: null}",
                     "{a: null}"},
        DocumentCase{"null_without_default_goes", "properties: {a: {type: array}, b: {nullable: true}}",
                     "{a: null, b: null, unknown: null}", "{b: null, unknown: null}"},
        DocumentCase{"no_parent", "properties: {p: {properties: {a: {default: 1}}}}", "{}", "{}"},
        DocumentCase{"default_parent", "properties: {p: {default: {}, properties: {a: {default: 1}}}}", "{}",
                     "{p: {a: 1}}"},
        DocumentCase{"items", "properties: {l: {items: {properties: {a: {default: 1}}}}}",
                     "{l: [{}, {a: 3}]}", "{l: [{a: 1}, {a: 3}]}"},
        DocumentCase{"map_values", "properties: {m: {additionalProperties: {properties: {a: {default: 1}}}}}",
                     "{m: {x.y: {}}}", "{m: {x.y: {a: 1}}}"},
        DocumentCase{"drops_nulls",
                     "{x-tidegate-drop-nulls: true, properties: {s: {properties: {a: {default: 1}}}}}",
                     "{metadata: {creationTimestamp: null}, s: {a: null}, other: null}",
                     "{metadata: {}, s: {a: 1}, other: null}"}),
    [](const auto& info) { return info.param.name; });

struct PruneCase {
  const char* name;
  const char* schema;
  const char* before;
  const char* after;
  const char* removed;  // JSON
};
class Prune : public testing::TestWithParam<PruneCase> {};
TEST_P(Prune, RemovesWhatIsUnknown) {
  Json object = from_yaml(GetParam().before);
  const auto removed = prune(object, from_yaml(GetParam().schema));
  EXPECT_EQ(json::dump(object), json::dump(from_yaml(GetParam().after)));
  EXPECT_EQ(json::dump(Json(removed)), GetParam().removed);
}
INSTANTIATE_TEST_SUITE_P(
    All, Prune,
    testing::Values(PruneCase{"unknown", "{type: object, properties: {a: {type: string}}}", "{a: x, b: y}",
                              "{a: x}", R"(["b"])"},
                    PruneCase{"always_kept", "{type: object}",
                              "{apiVersion: v1, kind: A, metadata: {name: x, labels: {a.b: c}}}",
                              "{apiVersion: v1, kind: A, metadata: {name: x, labels: {a.b: c}}}", "[]"},
                    PruneCase{"unknown_metadata", "{type: object}", "{metadata: {nam: x}}", "{metadata: {}}",
                              R"(["metadata.nam"])"},
                    PruneCase{"in_lists",
                              "{type: object, properties: {l: {items: {properties: {a: {type: string}}}}}}",
                              "{l: [{a: x}, {b: y}]}", "{l: [{a: x}, {}]}", R"(["l[1].b"])"},
                    PruneCase{"preserved",
                              "{type: object, x-kubernetes-preserve-unknown-fields: true, properties: {p: "
                              "{properties: {a: {}}}}}",
                              "{q: {z: 1}, p: {a: 1, b: 2}}", "{q: {z: 1}, p: {a: 1}}", R"(["p.b"])"},
                    PruneCase{"any_properties",
                              "{type: object, properties: {m: {type: object, additionalProperties: true}}}",
                              "{m: {x: {y: 1}}}", "{m: {x: {y: 1}}}", "[]"},
                    PruneCase{"empty_schema", "{}", "{spec: {a: 1}}", "{spec: {a: 1}}", "[]"}),
    [](const auto& info) { return info.param.name; });

struct ValidCase {
  const char* name;
  const char* schema;  // of the field x
  const char* value;
  const char* error;  // "field|reason|message", lines; "" where valid
};
class Validate : public testing::TestWithParam<ValidCase> {};
TEST_P(Validate, InKubectlsWords) {
  const Json schema = {{"type", "object"}, {"properties", {{"x", from_yaml(GetParam().schema)}}}};
  std::string found;
  for (const auto& error : validate({{"x", from_yaml(GetParam().value)}}, schema)) {
    found += (found.empty() ? "" : "\n") + error.field + "|" + error.reason + "|" + error.message;
  }
  EXPECT_EQ(found, GetParam().error);
}
INSTANTIATE_TEST_SUITE_P(
    All, Validate,
    testing::Values(
        ValidCase{
            "type", "{type: integer}", "a",
            R"(x|FieldValueTypeInvalid|Invalid value: "string": x in body must be of type integer: "string")"},
        ValidCase{"whole_float", "{type: integer}", "2.0", ""},
        ValidCase{
            "null", "{type: string}", "null",
            R"(x|FieldValueTypeInvalid|Invalid value: "null": x in body must be of type string: "null")"},
        ValidCase{"nullable", "{type: string, nullable: true}", "null", ""},
        ValidCase{"int_or_string", "{x-kubernetes-int-or-string: true}", "25%", ""},
        ValidCase{
            "int_or_string_not", "{x-kubernetes-int-or-string: true}", "true",
            R"(x|FieldValueTypeInvalid|Invalid value: "boolean": x in body must be of type integer,string: "boolean")"},
        ValidCase{"enum", "{type: string, enum: [A, B]}", "C",
                  R"(x|FieldValueNotSupported|Unsupported value: "C": supported values: "A", "B")"},
        ValidCase{"minimum", "{type: integer, minimum: 1}", "0",
                  "x|FieldValueInvalid|Invalid value: 0: x in body should be greater than or equal to 1"},
        ValidCase{"maximum", "{type: integer, maximum: 10, exclusiveMaximum: true}", "10",
                  "x|FieldValueInvalid|Invalid value: 10: x in body should be less than 10"},
        ValidCase{"multiple", "{type: integer, multipleOf: 5}", "7",
                  "x|FieldValueInvalid|Invalid value: 7: x in body should be a multiple of 5"},
        ValidCase{"min_length", "{type: string, minLength: 1}", "''",
                  R"(x|FieldValueInvalid|Invalid value: "": x in body should be at least 1 chars long)"},
        ValidCase{"max_length_in_code_points", "{type: string, maxLength: 2}", "äö", ""},
        ValidCase{"max_length", "{type: string, maxLength: 2}", "abc",
                  "x|FieldValueTooLong|Too long: may not be more than 2 bytes"},
        ValidCase{"pattern", "{type: string, pattern: '^a+$'}", "ab",
                  R"(x|FieldValueInvalid|Invalid value: "ab": x in body should match '^a+$')"},
        ValidCase{
            "format", "{type: string, format: date-time}", "monday",
            R"(x|FieldValueInvalid|Invalid value: "monday": x in body must be of type date-time: "monday")"},
        ValidCase{
            "int32", "{type: integer, format: int32}", "2147483648",
            "x|FieldValueInvalid|Invalid value: 2147483648: x in body must be of type int32: 2147483648"},
        ValidCase{"min_items", "{type: array, minItems: 1}", "[]",
                  "x|FieldValueInvalid|Invalid value: 0: x in body should have at least 1 items"},
        ValidCase{"max_items", "{type: array, maxItems: 1}", "[1, 2]",
                  "x|FieldValueTooMany|Too many: 2: must have at most 1 items"},
        ValidCase{"set", "{type: array, x-kubernetes-list-type: set}", "[a, b, a]",
                  R"(x[2]|FieldValueDuplicate|Duplicate value: "a")"},
        ValidCase{"map", "{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name]}",
                  "[{name: a, v: 1}, {name: a, v: 2}]",
                  R"(x[1]|FieldValueDuplicate|Duplicate value: {"name":"a"})"},
        ValidCase{"required", "{type: object, required: [a]}", "{}", "x.a|FieldValueRequired|Required value"},
        ValidCase{
            "nested", "{type: array, items: {type: object, properties: {a: {type: boolean}}}}",
            "[{}, {a: 1}]",
            R"(x[1].a|FieldValueTypeInvalid|Invalid value: "integer": x[1].a in body must be of type boolean: "integer")"},
        ValidCase{"max_properties", "{type: object, maxProperties: 1}", "{a: 1, b: 2}",
                  "x|FieldValueTooMany|Too many: 2: must have at most 1 items"},
        ValidCase{
            "one_of", "{oneOf: [{required: [a]}, {required: [b]}]}", "{a: 1, b: 2}",
            R"(x|FieldValueInvalid|Invalid value: {"a":1,"b":2}: "x" must validate one and only one schema (oneOf). Found 2 valid)"},
        ValidCase{"any_of", "{anyOf: [{required: [a]}, {required: [b]}]}", "{a: 1, b: 2}", ""},
        ValidCase{"not", "{not: {required: [a]}}", "{a: 1}",
                  R"(x|FieldValueInvalid|Invalid value: {"a":1}: "x" must not validate the schema (not))"}),
    [](const auto& info) { return info.param.name; });

TEST(ValidateMetadata, ChecksTypesInEveryKind) {
  const auto errors = validate({{"metadata", {{"labels", {{"a", 1}}}}}}, {{"type", "object"}});
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].field, "metadata.labels.a");
}

TEST(CheckSchema, NamesWrongTypesAndPatterns) {
  const auto errors = check_schema(
      from_yaml("{type: object, properties: {a: {type: text}, b: {type: string, pattern: '['}}}"), "s");
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].field, "s.properties[a].type");
  EXPECT_EQ(errors[1].field, "s.properties[b].pattern");
}

TEST(BuiltinSchemas, MakeAShortDeploymentWhole) {
  Json object = from_yaml(R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, creationTimestamp: null}
spec:
  selector: {matchLabels: {app: web}}
  strategy: {}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec: {containers: [{name: web, image: web:1, resources: {}, ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80}}}]}
status: {}
)");
  for (const auto& type : builtin_types()) {
    if (type->kind != "Deployment") continue;
    const Json& schema = type->storage_version().schema;
    EXPECT_TRUE(prune(object, schema).empty());
    apply_defaults(object, schema);
    EXPECT_TRUE(validate(object, schema).empty());
  }
  EXPECT_EQ(json::int_at(object, "spec.replicas"), 1);
  EXPECT_EQ(json::string_at(object, "spec.strategy.type"), "RollingUpdate");
  EXPECT_EQ(json::string_at(object, "spec.template.spec.restartPolicy"), "Always");
  EXPECT_EQ(json::string_at(object, "/spec/template/spec/containers/0/ports/0/protocol"), "TCP");
  EXPECT_EQ(json::int_at(object, "/spec/template/spec/containers/0/readinessProbe/periodSeconds"), 10);
  EXPECT_EQ(json::find(object, "metadata.creationTimestamp"), nullptr);
}

}  // namespace
}  // namespace tidegate::apiserver::schema
