// SPDX-License-Identifier: Apache-2.0
// Answers in the form of NerdGraph's NRQL queries.
#include "metrics/providers/recorded.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kSpec =
    "{profile: nr, query: \"SELECT average(duration) FROM Transaction\", secret: {personal-api-key: NRAK-1, "
    "account-id: "
    "'42'}}";

TEST(NewRelic, SendsNrqlToNerdGraph) {
  EXPECT_EQ(
      request_of("newRelic", kSpec),
      "POST https://api.newrelic.com/graphql\nAPI-Key: NRAK-1\nContent-Type: application/json\n\n"
      R"({"query":"query($account: Int!, $nrql: Nrql!) { actor { account(id: $account) { nrql(query: $nrql) )"
      R"({ results } } } }","variables":{"account":42,"nrql":"SELECT average(duration) FROM Transaction"}})");
}

TEST(NewRelic, KnowsItsRegions) {
  const auto europe = request_of(
      "newRelic", "{profile: nr, query: q, secret: {personal-api-key: k, account-id: '1', region: EU}}");
  EXPECT_TRUE(europe.starts_with("POST https://api.eu.newrelic.com/graphql\n")) << europe;
  const auto own = request_of("newRelic",
                              "{profile: nr, query: q, secret: {personal-api-key: k, account-id: '1', "
                              "base-url-nerdgraph: 'http://proxy/graphql'}}");
  EXPECT_TRUE(own.starts_with("POST http://proxy/graphql\n")) << own;
}

TEST(NewRelic, RefusesWhatItCannotSend) {
  EXPECT_EQ(complaints_of("newRelic", "{profile: nr}"), "query=: a text\n");
  EXPECT_EQ(complaints_of("newRelic", "{query: q}"),
            "profile=: the name of a Secret with personal-api-key and account-id\n");
  EXPECT_EQ(request_of("newRelic", "{profile: nr, query: q, secret: {personal-api-key: k, account-id: me}}"),
            "error: newRelic: account-id in the Secret: expected a number");
}

class NewRelicAnswer : public testing::TestWithParam<RecordedAnswer> {};
TEST_P(NewRelicAnswer, IsRead) {
  EXPECT_EQ(reading_of("newRelic", kSpec, GetParam().status, GetParam().body), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    All, NewRelicAnswer,
    testing::Values(
        RecordedAnswer{"one", 200,
                       R"({"data":{"actor":{"account":{"nrql":{"results":[{"average.duration":0.125}]}}}}})",
                       "0.125"},
        RecordedAnswer{
            "percentiles", 200,
            R"({"data":{"actor":{"account":{"nrql":{"results":[{"percentile.duration":{"50":1,"99":2}}]}}}}})",
            "1 2"},
        RecordedAnswer{"time_series_by_facet", 200, R"({"data":{"actor":{"account":{"nrql":{"results":[
{"beginTimeSeconds":1,"endTimeSeconds":2,"facet":"a","host":"a","count":3},
{"beginTimeSeconds":1,"endTimeSeconds":2,"facet":"b","host":"b","count":4}]}}}}})",
                       "3 4"},
        RecordedAnswer{"null", 200,
                       R"({"data":{"actor":{"account":{"nrql":{"results":[{"average.duration":null}]}}}}})",
                       "nan"},
        RecordedAnswer{"nothing", 200, R"({"data":{"actor":{"account":{"nrql":{"results":[]}}}}})", ""},
        RecordedAnswer{
            "words", 200, R"({"data":{"actor":{"account":{"nrql":{"results":[{"latest.name":"x"}]}}}}})",
            "error: newRelic at https://api.newrelic.com: status 200, expected numbers among the results: "
            R"({"data":{"actor":{"account":{"nrql":{"results":[{"latest.name":"x"}]}}}}})"},
        RecordedAnswer{
            "syntax", 200,
            R"({"data":{"actor":{"account":{"nrql":null}}},"errors":[{"message":"NRQL Syntax"}]})",
            "error: newRelic at https://api.newrelic.com: status 200, expected results: "
            R"({"data":{"actor":{"account":{"nrql":null}}},"errors":[{"message":"NRQL Syntax"}]})"},
        RecordedAnswer{"key", 401, R"({"errors":[{"message":"API key NRAK-1 is invalid"}]})",
                       "error: newRelic at https://api.newrelic.com: status 401: "
                       R"({"errors":[{"message":"API key [redacted] is invalid"}]})"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tidegate::metrics::providers
