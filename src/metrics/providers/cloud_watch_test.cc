// SPDX-License-Identifier: Apache-2.0
// Requests and answers of GetMetricData in its JSON form; signatures are tested in aws_signature_test.cc.
#include "metrics/providers/recorded.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kSpec = R"(
region: eu-west-1
secretRef: {name: aws}
secret: {access-key-id: AKIDEXAMPLE, secret-access-key: verysecret}
metricDataQueries:
- id: rate
  expression: errors / requests
- id: errors
  metricStat:
    metric: {namespace: AWS/ApplicationELB, metricName: HTTPCode_Target_5XX_Count, dimensions: [{name: LoadBalancer, value: app/x}]}
    period: 60
    stat: Sum
  returnData: false
)";

TEST(CloudWatch, AsksForAllQueriesAtOnce) {
  const auto text = request_of("cloudWatch", kSpec);
  EXPECT_TRUE(
      text.starts_with("POST https://monitoring.eu-west-1.amazonaws.com/\naccept: application/json\n"
                       "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-west-1/monitoring/"
                       "aws4_request, SignedHeaders=accept;content-encoding;content-type;host;x-amz-date;"
                       "x-amz-target, Signature="))
      << text;
  EXPECT_NE(text.find("\nx-amz-date: 20260102T030405Z\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nx-amz-target: GraniteServiceVersion20100801.GetMetricData\n"), std::string::npos)
      << text;
  EXPECT_EQ(
      text.substr(text.find("\n\n") + 2),
      R"({"EndTime":1767323045,"MetricDataQueries":[)"
      R"({"Expression":"errors / requests","Id":"rate","ReturnData":true},)"
      R"({"Id":"errors","MetricStat":{"Metric":{"Dimensions":[{"Name":"LoadBalancer","Value":"app/x"}],)"
      R"("MetricName":"HTTPCode_Target_5XX_Count","Namespace":"AWS/ApplicationELB"},"Period":60,"Stat":"Sum"},)"
      R"("ReturnData":false}],"ScanBy":"TimestampDescending","StartTime":1767322745})");
  EXPECT_EQ(text.find("verysecret"), std::string::npos);
}

TEST(CloudWatch, ChecksItsSpec) {
  EXPECT_EQ(complaints_of("cloudWatch", kSpec), "");
  EXPECT_EQ(complaints_of("cloudWatch", "{region: r, secretRef: {name: a}, metricDataQueries: [{id: a}]}"),
            "metricDataQueries[0]={\"id\":\"a\"}: expression or metricStat\n");
  EXPECT_EQ(complaints_of("cloudWatch", "{secretRef: {name: a}}"),
            "region=: a text\nmetricDataQueries=: one query at least\n");
}

class CloudWatchAnswer : public testing::TestWithParam<RecordedAnswer> {};
TEST_P(CloudWatchAnswer, IsRead) {
  EXPECT_EQ(reading_of("cloudWatch", kSpec, GetParam().status, GetParam().body), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    All, CloudWatchAnswer,
    testing::Values(
        RecordedAnswer{"latest", 200, R"({"Messages":[],"MetricDataResults":[
{"Id":"rate","Label":"rate","StatusCode":"Complete","Timestamps":[1767323040,1767322980],"Values":[0.02,0.5]}]})",
                       "0.02"},
        RecordedAnswer{"groups", 200, R"({"MetricDataResults":[
{"Id":"rate","Label":"a","StatusCode":"Complete","Values":[1]},
{"Id":"rate","Label":"b","StatusCode":"PartialData","Values":[2]}]})",
                       "1 2"},
        RecordedAnswer{
            "nothing", 200,
            R"({"MetricDataResults":[{"Id":"rate","StatusCode":"Complete","Timestamps":[],"Values":[]}]})",
            "nan"},
        RecordedAnswer{"failed", 200,
                       R"({"MetricDataResults":[{"Id":"rate","StatusCode":"InternalError","Values":[]}]})",
                       "error: cloudWatch at https://monitoring.eu-west-1.amazonaws.com: status 200, a query "
                       "has failed: "
                       R"({"MetricDataResults":[{"Id":"rate","StatusCode":"InternalError","Values":[]}]})"},
        RecordedAnswer{
            "signature", 403,
            R"({"__type":"com.amazon.coral.service#InvalidSignatureException","message":"no match"})",
            "error: cloudWatch at https://monitoring.eu-west-1.amazonaws.com: status 403: "
            R"({"__type":"com.amazon.coral.service#InvalidSignatureException","message":"no match"})"},
        RecordedAnswer{
            "xml", 200, "<GetMetricDataResponse/>",
            "error: cloudWatch at https://monitoring.eu-west-1.amazonaws.com: status 200, not JSON: "
            "<GetMetricDataResponse/>"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tidegate::metrics::providers
