// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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
      one: {type: object, x-kubernetes-patch-strategy: retainKeys}
      plain: {type: array, items: {type: string}}
      tags: {type: array, x-kubernetes-patch-strategy: merge, items: {type: string}}
      containers:
        type: array
        x-kubernetes-patch-strategy: merge
        x-kubernetes-patch-merge-key: name
        items:
          type: object
          properties:
            ports: {type: array, x-kubernetes-patch-strategy: merge, x-kubernetes-patch-merge-key: port, items: {type: object}}
)");
  return it;
}

struct Case {
  const char* name;
  const char* before;
  const char* patch;
  const char* after;
};
class StrategicMerge : public testing::TestWithParam<Case> {};
TEST_P(StrategicMerge, Applies) {
  const auto result =
      strategic_merge_patch(from_yaml(GetParam().before), from_yaml(GetParam().patch), schema());
  ASSERT_TRUE(result.has_value()) << result.error().detail;
  EXPECT_EQ(json::dump(*result), json::dump(from_yaml(GetParam().after)));
}
INSTANTIATE_TEST_SUITE_P(
    All, StrategicMerge,
    testing::Values(
        Case{"values", "{spec: {a: 1, b: 2}}", "{spec: {a: 3, b: null, c: {d: 4}}}",
             "{spec: {a: 3, c: {d: 4}}}"},
        Case{"plain_lists_are_replaced", "{spec: {plain: [a, b]}}", "{spec: {plain: [c]}}",
             "{spec: {plain: [c]}}"},
        Case{"by_key", "{spec: {containers: [{name: a, image: x}, {name: b}]}}",
             "{spec: {containers: [{name: a, image: y}]}}",
             "{spec: {containers: [{name: a, image: y}, {name: b}]}}"},
        Case{"new_item", "{spec: {containers: [{name: a}]}}", "{spec: {containers: [{name: b, image: y}]}}",
             "{spec: {containers: [{name: a}, {name: b, image: y}]}}"},
        Case{"into_nothing", "{spec: {}}",
             "{spec: {containers: [{name: b, $setElementOrder/ports: [], x: 1}]}}",
             "{spec: {containers: [{name: b, x: 1}]}}"},
        Case{"nested", "{spec: {containers: [{name: a, ports: [{port: 1, n: x}]}]}}",
             "{spec: {containers: [{name: a, ports: [{port: 2}]}]}}",
             "{spec: {containers: [{name: a, ports: [{port: 1, n: x}, {port: 2}]}]}}"},
        Case{"delete_item", "{spec: {containers: [{name: a}, {name: b}]}}",
             "{spec: {containers: [{name: a, $patch: delete}]}}", "{spec: {containers: [{name: b}]}}"},
        Case{"replace_list", "{spec: {containers: [{name: a}, {name: b}]}}",
             "{spec: {containers: [{name: c}, {$patch: replace}]}}", "{spec: {containers: [{name: c}]}}"},
        Case{"replace_object", "{spec: {a: 1, b: 2}}", "{spec: {$patch: replace, c: 3}}", "{spec: {c: 3}}"},
        Case{"delete_object", "{spec: {one: {a: 1}, b: 2}}", "{spec: {one: {$patch: delete}}}",
             "{spec: {b: 2}}"},
        Case{"order", "{spec: {containers: [{name: a}, {name: x}, {name: b}]}}",
             "{spec: {$setElementOrder/containers: [{name: b}, {name: a}]}}",
             "{spec: {containers: [{name: b}, {name: x}, {name: a}]}}"},
        Case{"primitives", "{spec: {tags: [a, b]}}",
             "{spec: {tags: [b, c], $deleteFromPrimitiveList/tags: [a]}}", "{spec: {tags: [b, c]}}"},
        Case{"retain_keys", "{spec: {one: {a: 1, b: 2}}}", "{spec: {one: {$retainKeys: [a, c], c: 3}}}",
             "{spec: {one: {a: 1, c: 3}}}"},
        Case{"finalizers_of_any_kind", "{metadata: {finalizers: [a]}}", "{metadata: {finalizers: [b]}}",
             "{metadata: {finalizers: [a, b]}}"}),
    [](const auto& info) { return info.param.name; });

TEST(StrategicMergeRefuses, ItemsWithoutTheirKeyAndUnknownDirectives) {
  for (const char* patch : {"{spec: {containers: [{image: x}]}}", "{spec: {$patch: increase}}",
                            "{spec: {containers: [1]}}", "[]"}) {
    const auto result = strategic_merge_patch(Json::object(), from_yaml(patch), schema());
    ASSERT_FALSE(result.has_value()) << patch;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace tidegate::apiserver::schema
