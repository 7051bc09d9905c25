// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidegate::json {
namespace {

TEST(JsonParse, ReadsAndDumpsCanonically) {
  const auto value = parse(R"( {"b": [1, 2.5, true, null], "a": {"x": "\u00e9"}} )");
  ASSERT_TRUE(value);
  EXPECT_EQ(dump(*value), "{\"a\":{\"x\":\"\xC3\xA9\"},\"b\":[1,2.5,true,null]}");
}

TEST(JsonParse, KeepsSixtyFourBitIntegers) {
  const auto value = parse("[9223372036854775807,-9223372036854775808,18446744073709551615]");
  ASSERT_TRUE(value);
  EXPECT_EQ(dump(*value), "[9223372036854775807,-9223372036854775808,18446744073709551615]");
}

struct BadCase {
  const char* name;
  std::string text;
  ErrorCode code;
  std::string_view detail;  // part of it
};
class JsonRefuses : public testing::TestWithParam<BadCase> {};

TEST_P(JsonRefuses, WithAPlace) {
  const auto value = parse(GetParam().text);
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, GetParam().code);
  EXPECT_NE(value.error().detail.find(GetParam().detail), std::string::npos) << value.error().detail;
}

INSTANTIATE_TEST_SUITE_P(
    All, JsonRefuses,
    testing::Values(BadCase{"empty", "", ErrorCode::kInvalid, "line 1, column 1: "},
                    BadCase{"second_line", "{\n  \"a\": x}", ErrorCode::kInvalid, "line 2, column 8: "},
                    BadCase{"trailing", "{} {}", ErrorCode::kInvalid, "line 1, column 4: "},
                    BadCase{"duplicate", R"({"a":1,"b":{"c":1,"c":2}})", ErrorCode::kInvalid,
                            "duplicate key \"c\""},
                    BadCase{"bad_utf8", "\"\xff\"", ErrorCode::kInvalid, "line 1"},
                    BadCase{"huge_number", "1e999", ErrorCode::kInvalid, "1e999"},
                    BadCase{"deep", std::string(kMaxDepth + 1, '[') + std::string(kMaxDepth + 1, ']'),
                            ErrorCode::kLimit, "deeper than 100"},
                    BadCase{"large", "\"" + std::string(kMaxBytes, 'a') + "\"", ErrorCode::kLimit, "bytes"}),
    [](const auto& info) { return info.param.name; });

TEST(JsonParse, TakesTheDeepestAllowed) {
  EXPECT_TRUE(parse(std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']')));
}

TEST(JsonDump, ReplacesInvalidUtf8) { EXPECT_EQ(dump(Json("a\xff")), "\"a\xEF\xBF\xBD\""); }

const Json kPod = Json::parse(R"({"metadata": {"name": "a", "generation": 3, "labels": {"x.y/z": "v"}},
                                 "spec": {"ports": [{"port": 80}], "weight": 0.5, "on": true, "big": 18446744073709551615}})");

TEST(JsonFind, FollowsDottedPathsAndPointers) {
  EXPECT_EQ(find(kPod, ""), &kPod);
  EXPECT_EQ(string_at(kPod, "metadata.name"), "a");
  EXPECT_EQ(string_at(kPod, "/metadata/labels/x.y~1z"), "v");
  EXPECT_EQ(int_at(kPod, "/spec/ports/0/port"), 80);
}

TEST(JsonFind, IsTotal) {
  for (const char* path : {"metadata.none", "metadata.name.deeper", "spec.ports.0", "/spec/ports/1",
                           "/spec/ports/00", "/spec/ports/-1", "/spec/ports/x", "/", "."}) {
    EXPECT_EQ(find(kPod, path), nullptr) << path;
  }
}

TEST(JsonAt, FallsBackOnOtherTypes) {
  EXPECT_EQ(string_at(kPod, "metadata.generation", "none"), "none");
  EXPECT_EQ(int_at(kPod, "spec.weight", 7), 7);
  EXPECT_EQ(int_at(kPod, "spec.big", 7), 7);
  EXPECT_TRUE(bool_at(kPod, "spec.on"));
  EXPECT_TRUE(bool_at(kPod, "spec.weight", true));
  EXPECT_EQ(number_at(kPod, "spec.weight"), 0.5);
  EXPECT_EQ(number_at(kPod, "metadata.generation"), 3);
  EXPECT_EQ(number_at(kPod, "metadata.name"), std::nullopt);
  EXPECT_EQ(array_at(kPod, "spec.ports").size(), 1U);
  EXPECT_TRUE(array_at(kPod, "spec").empty());
  EXPECT_TRUE(object_at(kPod, "spec.ports").is_object());
}

TEST(JsonMergePatch, RemovesByNullAndReplacesLists) {
  Json target = Json::parse(R"({"a": 1, "b": {"c": 1, "d": 2}, "l": [1, 2]})");
  merge_patch(target, Json::parse(R"({"a": null, "b": {"c": 3}, "l": [3]})"));
  EXPECT_EQ(dump(target), R"({"b":{"c":3,"d":2},"l":[3]})");
}

}  // namespace
}  // namespace tidegate::json
