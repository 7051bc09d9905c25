// SPDX-License-Identifier: Apache-2.0
// Answers in the form of https://graphite.readthedocs.io/en/latest/render_api.html, format json.
#include "metrics/providers/recorded.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kSpec = "{address: 'http://graphite:8080', query: 'target=shop.errors&from=-5min'}";

TEST(Graphite, Renders) {
  EXPECT_EQ(request_of("graphite", R"(
address: http://graphite:8080/
query: |
  target=summarize(asPercent(a.b, c.*),'5min','avg')
  &from=-5min&until=%2Bnow
)"),
            "GET "
            "http://graphite:8080/"
            "render?target=summarize%28asPercent%28a.b%2C%20c.%2A%29%2C%275min%27%2C%27avg%27%29"
            "&from=-5min&until=%2Bnow&format=json\n\n");
}

TEST(Graphite, ChecksItsSpec) {
  EXPECT_EQ(complaints_of("graphite", kSpec), "");
  EXPECT_EQ(complaints_of("graphite", "{address: 'http://g', query: '{{args.query}}'}"), "");
  EXPECT_EQ(complaints_of("graphite", "{address: 'http://g', query: shop.errors}"),
            "query=shop.errors: parameters of /render, such as target=stats.shop.errors&from=-5min\n");
}

class GraphiteAnswer : public testing::TestWithParam<RecordedAnswer> {};
TEST_P(GraphiteAnswer, IsRead) {
  EXPECT_EQ(reading_of("graphite", kSpec, GetParam().status, GetParam().body), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    All, GraphiteAnswer,
    testing::Values(
        RecordedAnswer{"latest", 200,
                       R"([{"target":"a","datapoints":[[1.5,1767322800],[2.5,1767322860],[null,1767322920]]},
{"target":"b","datapoints":[[3,1767322800]]}])",
                       "2.5 3"},
        RecordedAnswer{"nothing", 200, "[]", ""},
        RecordedAnswer{"nulls", 200, R"([{"target":"a","datapoints":[[null,1]]}])", "nan"},
        RecordedAnswer{"malformed", 200, R"([{"target":"a"}])",
                       "error: graphite at http://graphite:8080: status 200, expected points of value and "
                       R"(time: [{"target":"a"}])"},
        RecordedAnswer{"error", 400, "Invalid target",
                       "error: graphite at http://graphite:8080: status 400: Invalid target"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tidegate::metrics::providers
