// SPDX-License-Identifier: Apache-2.0
#include "metrics/providers/recorded.h"

namespace tidegate::metrics::providers {
namespace {

TEST(Web, Gets) {
  EXPECT_EQ(request_of(
                "web",
                "{url: 'https://shop.example/score/?v=1', jsonPath: '{$.a}', headers: [{key: A, value: b}]}"),
            "GET https://shop.example/score/?v=1\nA: b\n\n");
}

TEST(Web, SendsBodies) {
  EXPECT_EQ(request_of("web", "{url: 'http://x/', method: POST, jsonBody: {b: [1], a: two}}"),
            "POST http://x/\nContent-Type: application/json\n\n{\"a\":\"two\",\"b\":[1]}");
  EXPECT_EQ(request_of("web",
                       "{url: 'http://x/', method: PUT, body: 'a=b', headers: [{key: content-type, value: "
                       "application/x-www-form-urlencoded}]}"),
            "PUT http://x/\ncontent-type: application/x-www-form-urlencoded\n\na=b");
}

TEST(Web, WaitsTenSecondsUnlessAsked) {
  EXPECT_EQ(find_provider("web")->request(spec_of("{url: 'http://x'}"), kNow)->timeout,
            std::chrono::seconds(10));
  EXPECT_EQ(find_provider("web")->request(spec_of("{url: 'http://x', timeoutSeconds: 3}"), kNow)->timeout,
            std::chrono::seconds(3));
}

struct Wrong {
  const char* name;
  const char* spec;
  const char* complaints;
};
class WebSpec : public testing::TestWithParam<Wrong> {};
TEST_P(WebSpec, IsCheckedWhenWritten) {
  EXPECT_EQ(complaints_of("web", GetParam().spec), GetParam().complaints);
}
INSTANTIATE_TEST_SUITE_P(
    All, WebSpec,
    testing::Values(
        Wrong{"right", "{url: 'http://x/?a={{args.a}}', jsonPath: '{$.a[?(@.n==\"x\")].v}'}", ""},
        Wrong{"method", "{url: 'http://x', method: DELETE}", "method=DELETE: one of GET, POST, PUT\n"},
        Wrong{"body_of_get", "{url: 'http://x', body: b}", "method=: POST or PUT, as there is a body\n"},
        Wrong{"bodies", "{url: 'http://x', method: POST, body: b, jsonBody: {}}",
              "jsonBody={}: body or jsonBody, not both\n"},
        Wrong{"path", "{url: 'http://x', jsonPath: '{$..a}'}",
              "jsonPath={$..a}: a path such as {$.data.rate}; json path \"{$..a}\": recursive descent is not "
              "supported\n"}),
    [](const auto& info) { return info.param.name; });

struct Picked {
  const char* name;
  const char* path;
  const char* body;
  const char* expected;
};
class WebAnswer : public testing::TestWithParam<Picked> {};
TEST_P(WebAnswer, IsRead) {
  const Json spec = {{"url", "http://x/secret?token=t"}, {"jsonPath", GetParam().path}};
  EXPECT_EQ(reading_of("web", json::dump(spec), 200, GetParam().body), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    All, WebAnswer,
    testing::Values(
        Picked{"number", "{$.data.rate}", R"({"data":{"rate":0.99}})", "0.99"},
        Picked{"numeric_text", "{$.a}", R"({"a":" 1.5 "})", "1.5"},
        Picked{"yes", "{$.ok}", R"({"ok":true})", "1"}, Picked{"no", "{$.ok}", R"({"ok":false})", "0"},
        Picked{"null", "{$.a}", R"({"a":null})", "nan"}, Picked{"list", "{$.a}", R"({"a":[1,2]})", "1 2"},
        Picked{"empty_list", "{$.a}", R"({"a":[]})", ""},
        Picked{"index", "{$.a.b[0]}", R"({"a":{"b":[7,8]}})", "7"},
        Picked{"filter", "{$.a[?(@.n==\"x\")].v}", R"({"a":[{"n":"y","v":1},{"n":"x","v":2}]})", "2"},
        Picked{"filter_finds_none", "{$.a[?(@.n==\"z\")].v}", R"({"a":[{"n":"y","v":1}]})", ""},
        Picked{"whole", "", "3.5", "3.5"},
        Picked{"missing", "{$.b}", R"({"a":1})",
               R"(error: web at http://x: status 200, nothing at {$.b}: {"a":1})"},
        Picked{"words", "{$.a}", R"({"a":"fine"})",
               "error: web at http://x: status 200, expected a number, a text of one, or true or false at "
               R"({$.a}: {"a":"fine"})"},
        Picked{"object", "{$}", R"({"a":1})",
               "error: web at http://x: status 200, expected a number, a text of one, or true or false at "
               R"({$}: {"a":1})"},
        Picked{"page", "{$.a}", "<p>hello", "error: web at http://x: status 200, not JSON: <p>hello"}),
    [](const auto& info) { return info.param.name; });

TEST(Web, RedirectsAndErrorsAreNoAnswers) {
  EXPECT_EQ(reading_of("web", "{url: 'http://x'}", 302, ""), "error: web at http://x: status 302");
  EXPECT_EQ(reading_of("web", "{url: 'http://x'}", 500, "1"), "error: web at http://x: status 500: 1");
}

}  // namespace
}  // namespace tidegate::metrics::providers
