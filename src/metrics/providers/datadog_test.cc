// SPDX-License-Identifier: Apache-2.0
// Answers in the forms of https://docs.datadoghq.com/api/latest/metrics/.
#include "metrics/providers/recorded.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kV1 =
    "{query: 'avg:shop.errors{env:prod}', secretRef: {name: dd}, secret: {api-key: k1-secret, app-key: "
    "k2-secret}}";
constexpr auto kV2 = R"(
apiVersion: v2
interval: 1m
queries: {a: 'sum:shop.errors{*}', b: 'sum:shop.hits{*}'}
formula: a / b
aggregator: sum
secretRef: {name: dd}
secret: {api-key: k1-secret, app-key: k2-secret, address: 'https://api.datadoghq.eu/'}
)";

TEST(Datadog, AsksForASeries) {
  EXPECT_EQ(request_of("datadog", kV1),
            "GET "
            "https://api.datadoghq.com/api/v1/"
            "query?from=1767322745&to=1767323045&query=avg%3Ashop.errors%7Benv%3Aprod"
            "%7D\nDD-API-KEY: k1-secret\nDD-APPLICATION-KEY: k2-secret\n\n");
}

TEST(Datadog, AsksForAScalar) {
  EXPECT_EQ(request_of("datadog", kV2),
            "POST https://api.datadoghq.eu/api/v2/query/scalar\nDD-API-KEY: k1-secret\nDD-APPLICATION-KEY: "
            "k2-secret\n"
            "Content-Type: application/json\n\n"
            R"({"data":{"attributes":{"formulas":[{"formula":"a / b"}],"from":1767322985000,"queries":[)"
            R"({"aggregator":"sum","data_source":"metrics","name":"a","query":"sum:shop.errors{*}"},)"
            R"({"aggregator":"sum","data_source":"metrics","name":"b","query":"sum:shop.hits{*}"}],)"
            R"("to":1767323045000},"type":"scalar_request"}})");
}

TEST(Datadog, ChecksItsSpec) {
  EXPECT_EQ(complaints_of("datadog", kV1), "");
  EXPECT_EQ(complaints_of("datadog", kV2), "");
  EXPECT_EQ(complaints_of("datadog", "{query: q, aggregator: avg}"),
            "aggregator=avg: apiVersion: v2 with it\n"
            "secretRef=: the name of a Secret with api-key and app-key\n");
  EXPECT_EQ(complaints_of("datadog", "{apiVersion: v2, queries: {a: x, b: y}, secretRef: {name: s}}"),
            "formula=: what to make of several queries\n");
}

TEST(Datadog, NamesTheKeyThatItsSecretLacks) {
  EXPECT_EQ(request_of("datadog", "{query: q, secretRef: {name: dd}, secret: {api-key: k}}"),
            "error: datadog: the Secret dd needs the key app-key, a text of one line");
}

class DatadogV1 : public testing::TestWithParam<RecordedAnswer> {};
TEST_P(DatadogV1, IsRead) {
  EXPECT_EQ(reading_of("datadog", kV1, GetParam().status, GetParam().body), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    All, DatadogV1,
    testing::Values(
        RecordedAnswer{"latest", 200,
                       R"({"status":"ok","res_type":"time_series","series":[
{"metric":"shop.errors","pointlist":[[1767322800000,1.5],[1767322860000,2.5],[1767322920000,null]]},
{"metric":"shop.errors","pointlist":[[1767322800000,7]]}]})",
                       "2.5 7"},
        RecordedAnswer{"nothing", 200, R"({"status":"ok","series":[]})", ""},
        RecordedAnswer{"nulls", 200, R"({"status":"ok","series":[{"pointlist":[[1,null]]}]})", "nan"},
        RecordedAnswer{"error", 200, R"({"status":"error","error":"Rule 'a' has bad syntax","series":[]})",
                       "error: datadog at https://api.datadoghq.com: status 200, expected series: "
                       R"({"status":"error","error":"Rule 'a' has bad syntax","series":[]})"},
        RecordedAnswer{
            "forbidden", 403, R"({"errors":["Forbidden k1-secret"]})",
            R"(error: datadog at https://api.datadoghq.com: status 403: {"errors":["Forbidden [redacted]"]})"},
        RecordedAnswer{
            "malformed", 200, R"({"series":[{"pointlist":[[1]]}]})",
            "error: datadog at https://api.datadoghq.com: status 200, expected points of time and value: "
            R"({"series":[{"pointlist":[[1]]}]})"}),
    [](const auto& info) { return info.param.name; });

class DatadogV2 : public testing::TestWithParam<RecordedAnswer> {};
TEST_P(DatadogV2, IsRead) {
  EXPECT_EQ(reading_of("datadog", kV2, GetParam().status, GetParam().body), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    All, DatadogV2,
    testing::Values(
        RecordedAnswer{"columns", 200, R"({"data":{"type":"scalar_response","attributes":{"columns":[
{"name":"env","type":"group","values":[["prod"],["test"]]},
{"name":"a / b","type":"number","values":[0.25,null],"meta":{"unit":null}}]}}})",
                       "0.25 nan"},
        RecordedAnswer{"nothing", 200, R"({"data":{"attributes":{"columns":[]}}})", ""},
        RecordedAnswer{"errors", 200, R"({"errors":"no such metric","data":{"attributes":{"columns":[]}}})",
                       "error: datadog at https://api.datadoghq.eu: status 200, expected columns: "
                       R"({"errors":"no such metric","data":{"attributes":{"columns":[]}}})"},
        RecordedAnswer{
            "limited", 429, R"({"errors":["Too many requests"]})",
            R"(error: datadog at https://api.datadoghq.eu: status 429: {"errors":["Too many requests"]})"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tidegate::metrics::providers
