// SPDX-License-Identifier: Apache-2.0
// Answers in the forms of https://prometheus.io/docs/prometheus/latest/querying/api/.
#include "metrics/providers/recorded.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kSpec = "{address: 'http://prom:9090', query: up}";

TEST(Prometheus, AsksForAnInstantQuery) {
  EXPECT_EQ(
      request_of("prometheus", "{address: 'http://prom:9090/base/', query: 'sum(rate(x{a=\"b c\"}[1m]))'}"),
      "GET http://prom:9090/base/api/v1/query?query=sum%28rate%28x%7Ba%3D%22b%20c%22%7D%5B1m%5D%29%29\n\n");
}

TEST(Prometheus, SendsHeadersAndCredentials) {
  EXPECT_EQ(request_of("prometheus", R"(
address: https://prom
query: up
headers: [{key: X-Scope-OrgID, value: tenant-a}]
authentication: {basicAuth: {username: Aladdin, password: open sesame}}
)"),
            "GET https://prom/api/v1/query?query=up\nX-Scope-OrgID: tenant-a\n"
            "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n\n");
  EXPECT_EQ(request_of("prometheus",
                       "{address: 'https://prom', query: up, authentication: {bearer: {token: \"abc\\n\"}}}"),
            "GET https://prom/api/v1/query?query=up\nAuthorization: Bearer abc\n\n");
}

TEST(Prometheus, VerifiesAndWaitsAsAsked) {
  const auto plain = find_provider("prometheus")->request(spec_of(kSpec), kNow);
  EXPECT_EQ(plain->timeout, std::chrono::seconds(30));
  EXPECT_FALSE(plain->insecure_skip_verify);
  const auto asked = find_provider("prometheus")
                         ->request(spec_of("{address: 'https://prom', query: up, timeout: 5, insecure: true, "
                                           "caBundle: PEM}"),
                                   kNow);
  EXPECT_EQ(asked->timeout, std::chrono::seconds(5));
  EXPECT_TRUE(asked->insecure_skip_verify);
  EXPECT_EQ(asked->ca_pem, "PEM");
}

struct Wrong {
  const char* name;
  const char* spec;
  const char* complaints;
};
class PrometheusSpec : public testing::TestWithParam<Wrong> {};
TEST_P(PrometheusSpec, IsCheckedWhenWritten) {
  EXPECT_EQ(complaints_of("prometheus", GetParam().spec), GetParam().complaints);
}
INSTANTIATE_TEST_SUITE_P(
    All, PrometheusSpec,
    testing::Values(
        Wrong{"right", kSpec, ""},
        Wrong{"arguments", "{address: '{{args.prom}}', query: '{{args.q}}', timeout: '{{args.t}}'}", ""},
        Wrong{"no_query", "{address: 'http://prom'}", "query=: a text\n"},
        Wrong{"no_scheme", "{address: 'prom:9090', query: up}",
              "address=prom:9090: an address such as http://prometheus.monitoring:9090, without a password "
              "in it\n"},
        Wrong{"password_in_address", "{address: 'http://a:b@prom', query: up}",
              "address=http://a:b@prom: an address such as http://prometheus.monitoring:9090, without a "
              "password in "
              "it\n"},
        Wrong{"timeout", "{address: 'http://prom', query: up, timeout: 1h}",
              "timeout=1h: a duration from 1s to 2m, or seconds\n"},
        Wrong{"unknown", "{address: 'http://prom', query: up, rangeQuery: {step: 1m}}",
              "rangeQuery={\"step\":\"1m\"}: no field of that name\n"},
        Wrong{"unknown_below",
              "{address: 'http://prom', query: up, authentication: {basicAuth: {username: u, "
              "password: p, realm: r}}}",
              "authentication.basicAuth.realm=r: no field of that name\n"},
        Wrong{"both", "{address: 'http://prom', query: up, authentication: {}}",
              "authentication={}: basicAuth or bearer\n"},
        Wrong{"header_name", "{address: 'http://prom', query: up, headers: [{key: 'a b', value: c}]}",
              "headers[0].key=a b: the name of a header\n"},
        Wrong{"header_of_the_client", "{address: 'http://prom', query: up, headers: [{key: host, value: c}]}",
              "headers[0].key=host: a header that is not the client's own\n"},
        Wrong{"header_value",
              "{address: 'http://prom', query: up, headers: [{key: a, value: \"b\\r\\nc: d\"}]}",
              "headers[0].value=: a text of one line\n"}),
    [](const auto& info) { return info.param.name; });

TEST(Prometheus, NoRequestIsMadeOfAWrongSpec) {
  EXPECT_EQ(request_of("prometheus", "{address: 'http://prom', query: up, timeout: sekrit}"),
            "error: prometheus.timeout: expected a duration from 1s to 2m, or seconds");
  EXPECT_EQ(request_of("prometheus", "[]"), "error: prometheus: expected an object");
}

class PrometheusAnswer : public testing::TestWithParam<RecordedAnswer> {};
TEST_P(PrometheusAnswer, IsRead) {
  EXPECT_EQ(reading_of("prometheus", kSpec, GetParam().status, GetParam().body), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    All, PrometheusAnswer,
    testing::Values(
        RecordedAnswer{"vector", 200, R"({"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"__name__":"up","job":"a"},"value":[1435781451.781,"1"]},
            {"metric":{"__name__":"up","job":"b"},"value":[1435781451.781,"0.25"]}]}})",
                       "1 0.25"},
        RecordedAnswer{
            "scalar", 200,
            R"({"status":"success","data":{"resultType":"scalar","result":[1435781451.781,"42"]}})", "42"},
        RecordedAnswer{"matrix", 200, R"({"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{},"values":[[1435781430.781,"1"],[1435781445.781,"2"]]},
            {"metric":{},"values":[[1435781430.781,"3"]]}]}})",
                       "1 2 3"},
        RecordedAnswer{"nothing", 200, R"({"status":"success","data":{"resultType":"vector","result":[]}})",
                       ""},
        RecordedAnswer{"no_number", 200, R"({"status":"success","data":{"resultType":"vector","result":[
            {"metric":{},"value":[1,"NaN"]},{"metric":{},"value":[1,"+Inf"]},{"metric":{},"value":[1,"-Inf"]}]}})",
                       "nan inf -inf"},
        RecordedAnswer{
            "warning", 200,
            R"({"status":"success","warnings":["store x away"],"data":{"resultType":"vector","result":[
            {"metric":{},"value":[1,"1"]}]}})",
            "1; store x away"},
        RecordedAnswer{
            "text", 200, R"({"status":"success","data":{"resultType":"string","result":[1,"x"]}})",
            "error: prometheus at http://prom:9090: status 200, expected a vector, a scalar or a matrix: "
            R"({"status":"success","data":{"resultType":"string","result":[1,"x"]}})"},
        RecordedAnswer{"histogram", 200, R"({"status":"success","data":{"resultType":"vector","result":[
{"metric":{},"histogram":[1,{"count":"5"}]}]}})",
                       "error: prometheus at http://prom:9090: status 200, expected samples of numbers: "
                       R"({"status":"success","data":{"resultType":"vector","result":[ )"
                       R"({"metric":{},"histogram":[1,{"count":"5"}]}]}})"},
        RecordedAnswer{"bad_query", 400, R"({"status":"error","errorType":"bad_data","error":"parse error"})",
                       "error: prometheus at http://prom:9090: status 400: "
                       R"({"status":"error","errorType":"bad_data","error":"parse error"})"},
        RecordedAnswer{"away", 503, "<html>Service Unavailable</html>",
                       "error: prometheus at http://prom:9090: status 503: <html>Service Unavailable</html>"},
        RecordedAnswer{"no_body", 204, "", "error: prometheus at http://prom:9090: status 204, not JSON"}),
    [](const auto& info) { return info.param.name; });

TEST(Prometheus, RefusesMoreValuesThanConditionsUse) {
  std::string body = R"({"status":"success","data":{"resultType":"matrix","result":[{"values":[[1,"1"])";
  for (int i = 0; i < 1000; ++i) body += R"(,[1,"1"])";
  EXPECT_EQ(reading_of("prometheus", kSpec, 200, body + "]}]}}"),
            "error: prometheus at http://prom:9090: more than 1000 values; aggregate in the query");
}

TEST(Prometheus, ErrorsHoldNoSecrets) {
  constexpr auto kSecretive = R"(
address: https://prom
query: up
headers: [{key: X-Key, value: hunter2}]
authentication: {basicAuth: {username: joe, password: pw}}
)";
  const auto text = reading_of("prometheus", kSecretive, 401, "no hunter2 for joe with pw\nhere");
  EXPECT_EQ(
      text,
      "error: prometheus at https://prom: status 401: no [redacted] for [redacted] with [redacted] here");
}

}  // namespace
}  // namespace tidegate::metrics::providers
