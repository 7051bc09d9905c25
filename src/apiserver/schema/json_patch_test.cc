// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apiserver/schema/patch.h"

namespace tidegate::apiserver::schema {
namespace {

std::string outcome(const Result<Json>& result) {
  return result ? json::dump(*result)
                : std::string(to_string(result.error().code)) + ": " + result.error().detail;
}

struct Case {
  const char* name;
  const char* before;
  const char* patch;
  const char* after;
};
class JsonPatch : public testing::TestWithParam<Case> {};
TEST_P(JsonPatch, Applies) {
  EXPECT_EQ(outcome(json_patch(Json::parse(GetParam().before), Json::parse(GetParam().patch))),
            GetParam().after);
}
INSTANTIATE_TEST_SUITE_P(
    All, JsonPatch,
    testing::Values(
        Case{"add", R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])", R"({"a":1,"b":2})"},
        Case{"add_replaces", R"({"a":1})", R"([{"op":"add","path":"/a","value":2}])", R"({"a":2})"},
        Case{"append", R"({"l":[1]})", R"([{"op":"add","path":"/l/-","value":2}])", R"({"l":[1,2]})"},
        Case{"insert", R"({"l":[1,3]})", R"([{"op":"add","path":"/l/1","value":2}])", R"({"l":[1,2,3]})"},
        Case{"add_null", R"({})", R"([{"op":"add","path":"/a","value":null}])", R"({"a":null})"},
        Case{"remove", R"({"a":1,"l":[1,2]})",
             R"([{"op":"remove","path":"/a"},{"op":"remove","path":"/l/0"}])", R"({"l":[2]})"},
        Case{"replace", R"({"a":{"b":1}})", R"([{"op":"replace","path":"/a/b","value":[]}])",
             R"({"a":{"b":[]}})"},
        Case{"escapes", R"({"a/b":{"c~d":1}})", R"([{"op":"replace","path":"/a~1b/c~0d","value":2}])",
             R"({"a/b":{"c~d":2}})"},
        Case{"move", R"({"a":1})", R"([{"op":"move","from":"/a","path":"/b"}])", R"({"b":1})"},
        Case{"copy", R"({"a":{"x":1}})", R"([{"op":"copy","from":"/a","path":"/b"}])",
             R"({"a":{"x":1},"b":{"x":1}})"},
        Case{"test_passes", R"({"a":1})", R"([{"op":"test","path":"/a","value":1}])", R"({"a":1})"},
        Case{"root", R"({"a":1})", R"([{"op":"replace","path":"","value":{}}])", "{}"}),
    [](const auto& info) { return info.param.name; });

struct Refusal {
  const char* name;
  const char* patch;
  ErrorCode code;
};
class JsonPatchRefuses : public testing::TestWithParam<Refusal> {};
TEST_P(JsonPatchRefuses, WithoutThrowing) {
  const auto result =
      json_patch(Json::parse(R"({"a":1,"l":[1],"o":{"x":{}}})"), Json::parse(GetParam().patch));
  ASSERT_FALSE(result.has_value()) << json::dump(*result);
  EXPECT_EQ(result.error().code, GetParam().code) << result.error().detail;
}
INSTANTIATE_TEST_SUITE_P(
    All, JsonPatchRefuses,
    testing::Values(
        Refusal{"no_list", R"({"op":"add"})", ErrorCode::kInvalid},
        Refusal{"no_object", "[1]", ErrorCode::kInvalid},
        Refusal{"unknown_op", R"([{"op":"increase","path":"/a"}])", ErrorCode::kInvalid},
        Refusal{"no_path", R"([{"op":"remove"}])", ErrorCode::kInvalid},
        Refusal{"no_pointer", R"([{"op":"remove","path":"a"}])", ErrorCode::kInvalid},
        Refusal{"bad_escape", R"([{"op":"remove","path":"/a~2"}])", ErrorCode::kInvalid},
        Refusal{"no_value", R"([{"op":"add","path":"/b"}])", ErrorCode::kInvalid},
        Refusal{"missing", R"([{"op":"remove","path":"/b"}])", ErrorCode::kInvalid},
        Refusal{"replace_missing", R"([{"op":"replace","path":"/b","value":1}])", ErrorCode::kInvalid},
        Refusal{"no_parent", R"([{"op":"add","path":"/b/c","value":1}])", ErrorCode::kInvalid},
        Refusal{"outside", R"([{"op":"add","path":"/l/3","value":1}])", ErrorCode::kInvalid},
        Refusal{"leading_zero", R"([{"op":"replace","path":"/l/00","value":1}])", ErrorCode::kInvalid},
        Refusal{"into_itself", R"([{"op":"move","from":"/o","path":"/o/x/y"}])", ErrorCode::kInvalid},
        Refusal{"remove_root", R"([{"op":"remove","path":""}])", ErrorCode::kInvalid},
        Refusal{"test_fails", R"([{"op":"test","path":"/a","value":2}])", ErrorCode::kConflict}),
    [](const auto& info) { return info.param.name; });

TEST(JsonPatchLimits, CopiesCannotDoubleWithoutEnd) {
  Json patch = Json::array();
  for (int i = 0; i < 40; ++i) patch.push_back({{"op", "copy"}, {"from", "/l"}, {"path", "/l/-"}});
  const auto result = json_patch({{"l", {std::string(1000, 'x')}}}, patch);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kLimit);
}

TEST(MergePatch, RemovesByNullAndReplacesLists) {
  EXPECT_EQ(outcome(json_merge_patch(Json::parse(R"({"a":{"b":1,"c":2},"l":[1,2]})"),
                                     Json::parse(R"({"a":{"b":null,"d":3},"l":[9]})"))),
            R"({"a":{"c":2,"d":3},"l":[9]})");
  EXPECT_FALSE(json_merge_patch(Json::object(), Json::array()).has_value());
}

}  // namespace
}  // namespace tidegate::apiserver::schema
