// SPDX-License-Identifier: Apache-2.0
// Answers in the form of https://docs.influxdata.com/influxdb/v2/reference/syntax/annotated-csv/.
#include "metrics/providers/csv.h"
#include "metrics/providers/recorded.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kSpec =
    "{profile: flux, query: 'from(bucket: \"shop\")', secret: {address: 'http://influx:8086/', authToken: "
    "t0k3n, org: 'my "
    "org'}}";

TEST(Influxdb, SendsFlux) {
  EXPECT_EQ(request_of("influxdb", kSpec),
            "POST http://influx:8086/api/v2/query?org=my%20org\nAuthorization: Token t0k3n\nContent-Type: "
            "application/vnd.flux\nAccept: application/csv\n\nfrom(bucket: \"shop\")");
}

TEST(Influxdb, ChecksItsSpec) {
  EXPECT_EQ(complaints_of("influxdb", "{profile: p, query: q}"), "");
  EXPECT_EQ(complaints_of("influxdb", "{query: q}"),
            "profile=: the name of a Secret with address, authToken and org\n");
  EXPECT_EQ(request_of("influxdb", "{profile: p, query: q, secret: {address: 'http://x', org: o}}"),
            "error: influxdb: the Secret p needs the key authToken, a text of one line");
}

class InfluxdbAnswer : public testing::TestWithParam<RecordedAnswer> {};
TEST_P(InfluxdbAnswer, IsRead) {
  EXPECT_EQ(reading_of("influxdb", kSpec, GetParam().status, GetParam().body), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    All, InfluxdbAnswer,
    testing::Values(
        RecordedAnswer{"plain", 200,
                       ",result,table,_time,_value,host\r\n,_result,0,2026-01-02T03:04:00Z,0.5,a\r\n"
                       ",_result,1,2026-01-02T03:04:00Z,1.5,\"b,\"\"c\"\"\"\r\n\r\n",
                       "0.5 1.5"},
        RecordedAnswer{"annotated_tables", 200,
                       "#datatype,string,long,double\r\n#group,false,false,false\r\n#default,_result,,\r\n"
                       ",result,table,_value\r\n,,0,1\r\n\r\n#datatype,string,long,boolean\r\n"
                       ",result,table,_value\r\n,,1,true\r\n",
                       "1 1"},
        RecordedAnswer{"null", 200, ",result,table,_value\r\n,_result,0,\r\n", "nan"},
        RecordedAnswer{"nothing", 200, "\r\n", ""},
        RecordedAnswer{
            "words", 200, ",result,table,_value\r\n,_result,0,fine\r\n",
            "error: influxdb at http://influx:8086: status 200, expected numbers in the column _value: "
            ",result,table,_value  ,_result,0,fine"},
        RecordedAnswer{
            "error_table", 200, "error,reference\r\nFailed to parse query,897\r\n",
            "error: influxdb at http://influx:8086: status 200, expected a table with the column _value: "
            "error,reference  Failed to parse query,897"},
        RecordedAnswer{"open_quote", 200, ",_value\r\n,\"1",
                       "error: influxdb at http://influx:8086: status 200, not CSV: ,_value  ,\"1"},
        RecordedAnswer{"token", 401, R"({"code":"unauthorized","message":"t0k3n"})",
                       "error: influxdb at http://influx:8086: status 401: "
                       R"({"code":"unauthorized","message":"[redacted]"})"}),
    [](const auto& info) { return info.param.name; });

TEST(Influxdb, ErrorsHoldNoPasswordOfItsAddress) {
  EXPECT_EQ(reading_of("influxdb", "{secret: {address: 'https://joe:pw@influx:8086/x'}}", 500, "away"),
            "error: influxdb at https://influx:8086: status 500: away");
}

TEST(Csv, ReadsCellsOfEveryForm) {
  EXPECT_EQ(parse_csv("a,b\n\"c\r\nd\",\r\n\n\"\""),
            (std::vector<CsvRow>{{"a", "b"}, {"c\r\nd", ""}, {""}, {""}}));
  EXPECT_EQ(parse_csv(""), std::vector<CsvRow>{});
  EXPECT_EQ(parse_csv("\"a\"b"), std::nullopt);
  EXPECT_EQ(parse_csv("\"a"), std::nullopt);
  EXPECT_EQ(parse_csv("a\rb"), std::nullopt);
}

}  // namespace
}  // namespace tidegate::metrics::providers
