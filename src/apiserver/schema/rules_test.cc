// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/rules.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/yaml.h"

namespace tidegate::apiserver::schema {
namespace {

Json from_yaml(std::string_view text) { return yaml::parse_all(text)->front().value; }

// A schema whose spec has a few fields, and one rule.
std::string spec(const std::string& rule) {
  return "{type: object, properties: {spec: {type: object, x-kubernetes-validations: [" + rule +
         "], properties: {a: {type: integer}, b: {type: integer}, "
         "tls: {type: object, properties: {mode: {type: string}}}}}}}";
}

struct Case {
  const char* name;
  std::string schema;
  const char* before;  // "" where the object is new
  const char* now;
  const char* errors;  // "field|reason|message", lines; "" where valid
};
class BrokenRules : public testing::TestWithParam<Case> {};
TEST_P(BrokenRules, InKubectlsWords) {
  const Json schema = from_yaml(GetParam().schema), now = from_yaml(GetParam().now);
  const auto rules = compile_rules(schema, "schema");
  ASSERT_TRUE(rules) << rules.error().detail;
  ASSERT_TRUE(*rules);
  const std::string before = GetParam().before;
  const Json former = before.empty() ? Json() : from_yaml(before);
  std::string found;
  for (const auto& error : broken_rules(**rules, schema, now, before.empty() ? nullptr : &former)) {
    found += (found.empty() ? "" : "\n") + error.field + "|" + error.reason + "|" + error.message;
  }
  EXPECT_EQ(found, GetParam().errors);
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokenRules,
    testing::Values(
        Case{"kept", spec("{rule: self.a <= self.b}"), "", "{spec: {a: 1, b: 2}}", ""},
        Case{"broken", spec("{rule: self.a <= self.b, message: a is above b}"), "", "{spec: {a: 3, b: 2}}",
             R"(spec|FieldValueInvalid|Invalid value: "object": a is above b)"},
        Case{"no_message", spec("{rule: self.a <= self.b}"), "", "{spec: {a: 3, b: 2}}",
             R"(spec|FieldValueInvalid|Invalid value: "object": failed rule: self.a <= self.b)"},
        Case{"message_expression",
             spec("{rule: self.a <= self.b, message: no, messageExpression: \"'a is ' + string(self.a)\"}"),
             "", "{spec: {a: 3, b: 2}}", R"(spec|FieldValueInvalid|Invalid value: "object": a is 3)"},
        Case{"message_expression_fails",
             spec("{rule: '!has(self.a)', message: no, messageExpression: string(self.b)}"), "",
             "{spec: {a: 3}}", R"(spec|FieldValueInvalid|Invalid value: "object": no)"},
        Case{"field_path", spec("{rule: has(self.tls), message: no, fieldPath: .tls.mode}"), "", "{spec: {}}",
             R"(spec.tls.mode|FieldValueInvalid|Invalid value: "object": no)"},
        Case{"required", spec("{rule: has(self.tls), message: tls is needed, reason: FieldValueRequired}"),
             "", "{spec: {}}", "spec|FieldValueRequired|Required value: tls is needed"},
        Case{"forbidden", spec("{rule: '!has(self.a)', message: no a, reason: FieldValueForbidden}"), "",
             "{spec: {a: 1}}", "spec|FieldValueForbidden|Forbidden: no a"},
        Case{"cannot_be_evaluated", spec("{rule: self.a < 3}"), "", "{spec: {}}",
             R"(spec|FieldValueInvalid|Invalid value: "object": no such key: a evaluating rule: self.a < 3)"},
        Case{"absent_parent", spec("{rule: 'false'}"), "", "{}", ""},
        Case{"root",
             "{type: object, x-kubernetes-validations: [{rule: self.metadata.name.size() < 3, message: "
             "long}]}",
             "", "{metadata: {name: shop}}", R"(<nil>|FieldValueInvalid|Invalid value: "object": long)"},
        Case{"items",
             "{type: object, properties: {l: {type: array, items: {type: integer, x-kubernetes-validations: "
             "[{rule: "
             "self > 1, message: small}]}}}}",
             "", "{l: [2, 1, 3, 0]}",
             "l[1]|FieldValueInvalid|Invalid value: \"integer\": small\n"
             "l[3]|FieldValueInvalid|Invalid value: \"integer\": small"},
        Case{"map_values",
             "{type: object, properties: {m: {type: object, additionalProperties: {type: string, "
             "x-kubernetes-validations: [{rule: self != 'x', message: an x}]}}}}",
             "", "{m: {k.1: x, k2: y}}", R"(m[k.1]|FieldValueInvalid|Invalid value: "string": an x)"}),
    [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(
    OfUpdates, BrokenRules,
    testing::Values(
        Case{"transition_needs_before", spec("{rule: self.a >= oldSelf.a, message: shrinks}"), "",
             "{spec: {a: 1}}", ""},
        Case{"transition", spec("{rule: self.a >= oldSelf.a, message: shrinks}"), "{spec: {a: 2}}",
             "{spec: {a: 1}}", R"(spec|FieldValueInvalid|Invalid value: "object": shrinks)"},
        Case{"transition_of_a_new_field", spec("{rule: self.a >= oldSelf.a}"), "{}", "{spec: {a: 1}}", ""},
        Case{"optional_old_self",
             spec("{rule: oldSelf.hasValue() || self.a == 0, message: begins at 0, optionalOldSelf: true}"),
             "", "{spec: {a: 1}}", R"(spec|FieldValueInvalid|Invalid value: "object": begins at 0)"},
        Case{"optional_old_self_there",
             spec("{rule: oldSelf.hasValue() || self.a == 0, message: begins at 0, optionalOldSelf: true}"),
             "{spec: {a: 5}}", "{spec: {a: 1}}", ""},
        Case{"keyed_items",
             "{type: object, properties: {l: {type: array, x-kubernetes-list-type: map, "
             "x-kubernetes-list-map-keys: "
             "[name], items: {type: object, properties: {name: {type: string}, v: {type: integer}}, "
             "x-kubernetes-validations: [{rule: self.v == oldSelf.v, message: v stays}]}}}}",
             "{l: [{name: a, v: 1}, {name: b, v: 2}]}",
             "{l: [{name: b, v: 2}, {name: a, v: 3}, {name: c, v: 4}]}",
             R"(l[1]|FieldValueInvalid|Invalid value: "object": v stays)"},
        // What was broken before, and was not touched, is no reason to refuse the rest.
        Case{"unchanged", spec("{rule: self.a <= self.b}"), "{spec: {a: 3, b: 2}, status: {n: 1}}",
             "{spec: {a: 3, b: 2}, status: {n: 2}}", ""},
        Case{"unchanged_list",
             "{type: object, properties: {n: {type: integer}, l: {type: array, items: {type: integer, "
             "x-kubernetes-validations: [{rule: self > 1, message: small}]}}}}",
             "{n: 1, l: [0, 1]}", "{n: 2, l: [0, 1]}", ""},
        Case{"changed_list",
             "{type: object, properties: {n: {type: integer}, l: {type: array, items: {type: integer, "
             "x-kubernetes-validations: [{rule: self > 1, message: small}]}}}}",
             "{n: 1, l: [0, 1]}", "{n: 1, l: [0, 2]}",
             R"(l[0]|FieldValueInvalid|Invalid value: "integer": small)"},
        Case{"changed_and_still_broken", spec("{rule: self.a <= self.b, message: no}"),
             "{spec: {a: 3, b: 2}}", "{spec: {a: 4, b: 2}}",
             R"(spec|FieldValueInvalid|Invalid value: "object": no)"},
        Case{
            "too_dear",
            "{type: object, properties: {l: {type: array, items: {type: integer}, x-kubernetes-validations: "
            "[{rule: "
            "'self.all(a, self.all(b, self.all(c, self.all(d, self.all(e, a + b + c + d + e < 100)))))'}]}}}",
            "", "{l: [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]}",
            R"(l|FieldValueInvalid|Invalid value: "array": call cost exceeds limit for rule: self.all(a, self.all(b, )"
            R"(self.all(c, self.all(d, self.all(e, a + b + c + d + e < 100))))), no further validation rules will be run)"}),
    [](const auto& info) { return info.param.name; });

struct Wrong {
  const char* name;
  std::string schema;
  const char* error;
};
class CompileRules : public testing::TestWithParam<Wrong> {};
TEST_P(CompileRules, SaysWhatIsWrongAndWhere) {
  const auto rules = compile_rules(from_yaml(GetParam().schema), "schema");
  ASSERT_FALSE(rules);
  EXPECT_EQ(rules.error().detail, GetParam().error);
}
INSTANTIATE_TEST_SUITE_P(
    All, CompileRules,
    testing::Values(
        Wrong{
            "unknown_field", spec("{rule: self.c > 1}"),
            R"(schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value: "self.c > 1": compilation failed: )"
            R"(ERROR: <input>:1:5: undefined field 'c')"},
        Wrong{"no_rule", spec("{message: x}"),
              "schema.properties[spec].x-kubernetes-validations[0].rule: Required value: rule is not "
              "specified"},
        Wrong{
            "no_bool", spec("{rule: self.a}"),
            R"(schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value: "self.a": compilation failed: )"
            R"(must evaluate to bool, but is int)"},
        Wrong{
            "reason", spec("{rule: 'true', reason: Because}"),
            R"(schema.properties[spec].x-kubernetes-validations[0].reason: Unsupported value: "Because": supported values: )"
            R"("FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate")"},
        Wrong{
            "field_path", spec("{rule: 'true', fieldPath: .tls.colour}"),
            R"(schema.properties[spec].x-kubernetes-validations[0].fieldPath: Invalid value: ".tls.colour": fieldPath )"
            R"(must be a valid path in the schema)"},
        Wrong{
            "message_expression", spec("{rule: 'true', messageExpression: self.a}"),
            R"(schema.properties[spec].x-kubernetes-validations[0].messageExpression: Invalid value: "self.a": )"
            R"(messageExpression compilation failed: must evaluate to string, but is int)"},
        Wrong{
            "old_self_in_a_list",
            "{type: object, properties: {l: {type: array, items: {type: integer, x-kubernetes-validations: "
            "[{rule: "
            "self == oldSelf}]}}}}",
            R"(schema.properties[l].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf )"
            R"(cannot be used on the uncorrelatable portion of the schema: below lists that are not of type map)"}),
    [](const auto& info) { return info.param.name; });

TEST(RulesNotChecked, WhereTheObjectIsNotWhatTheyExpect) {
  EXPECT_FALSE(rules_not_checked({}));
  EXPECT_FALSE(rules_not_checked({{"a", "FieldValueInvalid", "x"}}));
  const auto instead = rules_not_checked({{"a", "FieldValueTypeInvalid", "x"}});
  ASSERT_TRUE(instead);
  EXPECT_EQ(instead->field, "<nil>");
}

TEST(CompileRules, NothingWhereThereAreNone) {
  const auto rules = compile_rules(from_yaml("{type: object, properties: {a: {type: integer}}}"), "schema");
  ASSERT_TRUE(rules);
  EXPECT_EQ(*rules, nullptr);
}

}  // namespace
}  // namespace tidegate::apiserver::schema
