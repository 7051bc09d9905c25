// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.h"

#include <gtest/gtest.h>

namespace tidegate::yaml {
namespace {

std::string as_json(std::string_view text) {
  const auto documents = parse_all(text);
  if (!documents) return "error: " + documents.error().detail;
  std::string out;
  for (const auto& document : *documents) out += (out.empty() ? "" : " ") + json::dump(document.value);
  return out;
}

struct ReadCase {
  const char* name;
  std::string_view yaml;
  std::string_view json;
};
class YamlReads : public testing::TestWithParam<ReadCase> {};
TEST_P(YamlReads, AsJson) { EXPECT_EQ(as_json(GetParam().yaml), GetParam().json); }

INSTANTIATE_TEST_SUITE_P(
    All, YamlReads,
    testing::Values(
        ReadCase{"integers", "[0, 80, -7, +1, 9223372036854775807]", "[0,80,-7,1,9223372036854775807]"},
        ReadCase{"floats", "[0.5, 1e3, -2.5E-1, .5]", "[0.5,1000.0,-0.25,0.5]"},
        ReadCase{"not_numbers", "[0123, 0x1f, 1_000, 12:30, 1.2.3, .inf, .nan, '-', 1e999]",
                 R"(["0123","0x1f","1_000","12:30","1.2.3",".inf",".nan","-","1e999"])"},
        ReadCase{"words", "[true, False, yes, on, y, Off]", R"([true,false,"yes","on","y","Off"])"},
        ReadCase{"nulls", "{a: , b: ~, c: null, d: Null}", R"({"a":null,"b":null,"c":null,"d":null})"},
        ReadCase{"quoted", "['1', \"true\", 'null', '']", R"(["1","true","null",""])"},
        ReadCase{"block", "a: |\n  1\n  2\n", R"({"a":"1\n2\n"})"},
        ReadCase{"tags", "[!!str 1, !!int \"7\", !!float 1, ! 5]", R"(["1",7,1.0,"5"])"},
        ReadCase{"scalar_keys", "{80: a, true: b, ~: c}", R"({"80":"a","null":"c","true":"b"})"},
        ReadCase{"aliases", "a: &x {k: [1]}\nb: *x\n", R"({"a":{"k":[1]},"b":{"k":[1]}})"},
        ReadCase{"stream", "---\na: 1\n---\n# nothing\n---\nb: 2\n---\n", R"({"a":1} {"b":2})"},
        ReadCase{"empty", "# only a comment\n", ""},
        ReadCase{"crlf", "a: 1\r\nb: x\r\n", R"({"a":1,"b":"x"})"},
        ReadCase{"json_is_yaml", R"({"a": [1, "2", {"b": null}]})", R"({"a":[1,"2",{"b":null}]})"}),
    [](const auto& info) { return info.param.name; });

class YamlRefuses : public testing::TestWithParam<ReadCase> {};
TEST_P(YamlRefuses, WithAPlace) {
  const std::string result = as_json(GetParam().yaml);
  EXPECT_TRUE(result.starts_with("error: ")) << result;
  EXPECT_NE(result.find(GetParam().json), std::string::npos) << result;
}

INSTANTIATE_TEST_SUITE_P(
    All, YamlRefuses,
    testing::Values(ReadCase{"duplicate", "a: 1\nb: 2\na: 3\n", "line 3, column 1: duplicate key \"a\""},
                    ReadCase{"merge", "b: &b {x: 1}\nc:\n  <<: *b\n", "line 3, column 3: merge keys"},
                    ReadCase{"tab", "a:\n\tb: 1\n", "line 2"},
                    ReadCase{"bad_int", "a: !!int x\n", "\"x\" is tagged !!int"},
                    ReadCase{"unknown_tag", "a: !thing x\n", "is not supported"},
                    ReadCase{"map_key", "? {a: 1}\n: 2\n", "can't be a key"},
                    ReadCase{"leftover", "[a] b\n", "line 1, column 5: text after the end"},
                    ReadCase{"stray_comma", "--- ,", "line 1, column 5"},
                    ReadCase{"stray_comma_after_map", "a: b\n##\n ,  c:\n", "line "},
                    ReadCase{"unclosed", "a: [1, 2\n", "line "},
                    ReadCase{"undefined_alias", "a: *x\n", "line 1"},
                    ReadCase{"inner_alias", "a: &x [*x]\n", "not complete"},
                    ReadCase{"control", "a: 1\nb: \"x\x04\"\n", "line 2: control character 4"},
                    ReadCase{"utf8", "a: \xff\n", "UTF-8"}),
    [](const auto& info) { return info.param.name; });

TEST(YamlParse, RefusesDeepNesting) {
  EXPECT_TRUE(parse_all(std::string(json::kMaxDepth, '[') + std::string(json::kMaxDepth, ']')));
  EXPECT_FALSE(parse_all(std::string(json::kMaxDepth + 1, '[') + std::string(json::kMaxDepth + 1, ']')));
  EXPECT_FALSE(parse_all(std::string(100'000, '[')));
}

TEST(YamlParse, RefusesAliasBombs) {
  std::string text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 8; ++j) text += (j ? ", " : "") + last;
    text += "]\n";
  }
  const auto documents = parse_all(text);
  ASSERT_FALSE(documents);
  EXPECT_EQ(documents.error().code, ErrorCode::kLimit);
}

TEST(YamlParse, TellsTheLineOfEachDocument) {
  const auto documents = parse_all("# one\na: 1\n---\n\nb: 2\n");
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->size(), 2U);
  EXPECT_EQ((*documents)[0].line, 2);
  EXPECT_EQ((*documents)[1].line, 5);
}

TEST(YamlDump, IsBlockStyleWithSortedKeys) {
  const Json value =
      Json::parse(R"({"b": [1, {"z": "2", "x": []}, [true, "a b"]], "a": {"k": {}, "url": "http://x:80/"}})");
  EXPECT_EQ(dump(value),
            "a:\n  k: {}\n  url: http://x:80/\nb:\n- 1\n- x: []\n  z: \"2\"\n- - true\n  - a b\n");
}

TEST(YamlDump, ReadsBackTheSame) {
  for (const char* text :
       {"",     "a",    "true",  "Null",     "~",      "1",    "-1.5", "1e3",  "yes",
        "0123", "0x1f", "12:30", "10.0.0.1", "7d4b9c", "a: b", "a #b", " a",   "a ",
        "- a",  "-",    "?",     "a:",       "#",      "a\nb", "\t",   "\x04", "caf\xC3\xA9",
        "*x",   "&x",   "!t",    "{a}",      "'",      "\"",   "%",    "@",    "`",
        "a  b", "---",  "...",   "<<",       "=",      "+1",   ".5",   "1.",   "\xEF\xBB\xBF",
        "\x7f"}) {
    for (const Json& value : {Json(text), Json::array({text}), Json{{"k", text}}, Json{{text, 1}}}) {
      const auto again = parse_all(dump(value));
      ASSERT_TRUE(again) << dump(value) << again.error().detail;
      ASSERT_EQ(again->size(), 1U) << dump(value);
      EXPECT_EQ((*again)[0].value, value) << dump(value);
    }
  }
}

TEST(YamlDump, WritesLongKeys) {
  const std::string key(5000, 'k');
  for (const Json& child : {Json(1), Json::array({1, Json::object()}), Json{{"a", {{"b", 2}}}}}) {
    const Json value = {{"outer", {{key, child}, {"z", 1}}}};
    const auto again = parse_all(dump(value));
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(again->at(0).value, value);
  }
}

TEST(YamlDump, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(dump("10.0.0.1"), "10.0.0.1\n");
  EXPECT_EQ(dump("7d4b9c6f5c"), "7d4b9c6f5c\n");
  EXPECT_EQ(dump("1"), "\"1\"\n");
  EXPECT_EQ(dump("on"), "\"on\"\n");
  EXPECT_EQ(dump(""), "\"\"\n");
}

}  // namespace
}  // namespace tidegate::yaml
