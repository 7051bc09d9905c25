// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tidegate::text {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, ReadsGoFormAndBareSeconds) {
  const std::pair<const char*, Duration> cases[] = {
      {"300ms", 300ms},  {"1.5h", 90min},     {"2h45m", 165min},    {"30", 30s},
      {"0", 0ms},        {"1m0.5s", 60500ms}, {".5s", 500ms},       {"1500us", 1ms},
      {"999999ns", 0ms}, {"1.0005s", 1000ms}, {"999us1ms1us", 2ms}, {"2\xC2\xB5s", 0ms}};
  for (const auto& [text, expected] : cases) {
    const auto duration = parse_duration(text);
    ASSERT_TRUE(duration) << text << ": " << duration.error().detail;
    EXPECT_EQ(*duration, expected) << text;
  }
}

TEST(ParseDuration, RefusesTheRestWithItsValue) {
  for (const char* text : {"", "-1s", "1x", "1.5", "s", "1s 2s", " 1s", ".s", "1d", "9999999999999999999999h",
                           "300000h9000000h", "1h2"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_NE(duration.error().detail.find('"' + std::string(text) + '"'), std::string::npos)
        << duration.error().detail;
  }
}

TEST(FormatDuration, IsShortAndReadsBack) {
  const std::pair<Duration, const char*> cases[] = {{0ms, "0s"},  {250ms, "250ms"},  {1500ms, "1.5s"},
                                                    {1h, "1h"},   {3723s, "1h2m3s"}, {61050ms, "1m1.05s"},
                                                    {5min, "5m"}, {26h, "26h"}};
  for (const auto& [duration, expected] : cases) {
    EXPECT_EQ(format_duration(duration), expected);
    EXPECT_EQ(parse_duration(expected).value_or(Duration(-1)), duration);
  }
}

TEST(FormatAge, IsKubectls) {
  const std::pair<Duration, const char*> cases[] = {
      {45s, "45s"},      {119s, "119s"},       {125s, "2m5s"}, {120s, "2m"},       {10min, "10m"},
      {179min, "179m"},  {192min, "3h12m"},    {9h, "9h"},     {96h, "4d"},        {100h, "4d4h"},
      {24h * 20, "20d"}, {24h * 800, "2y70d"}, {-500ms, "0s"}, {-5s, "<invalid>"}, {24h * 3650, "10y"}};
  for (const auto& [age, expected] : cases) EXPECT_EQ(format_age(age), expected);
}

TEST(Time, FormatsAndReadsBack) {
  const TimePoint time(1'800'000'000'123ms);
  EXPECT_EQ(format_time(time), "2027-01-15T08:00:00Z");
  EXPECT_EQ(format_micro_time(time), "2027-01-15T08:00:00.123000Z");
  EXPECT_EQ(parse_time("2027-01-15T08:00:00.123456789Z"), time);
  EXPECT_EQ(parse_time("2027-01-15t09:30:00.123+01:30"), time);
  EXPECT_EQ(format_time(TimePoint(-1ms)), "1969-12-31T23:59:59Z");
}

TEST(Time, RefusesWhatIsNone) {
  for (const char* text : {"", "2027-01-15", "2027-02-29T00:00:00Z", "2027-13-01T00:00:00Z",
                           "2027-01-15T24:00:00Z", "2027-01-15T08:00:00", "2027-01-15T08:00:00.Z",
                           "2027-01-15T08:00:00Zx", "2027-01-15 08:00:00Z", "2027-01-15T08:00:00+1:00"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

TEST(Base64, RoundTrips) {
  for (const std::string bytes : {"", "f", "fo", "foo", "foob", "fooba", "foobar", "\xff\xfe"}) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
  }
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_encode("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64_decode("Zm9v\nYmE=\n"), "fooba");
}

TEST(Base64, RefusesMalformed) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Z===", "Zm9v=", "Zm-v", "Zg==Zg==", "=", "===="}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

TEST(SafeHash, IsTenSafeCharacters) {
  EXPECT_EQ(fnv1a(""), 14695981039346656037ULL);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cULL);
  EXPECT_EQ(safe_hash("a").size(), 10U);
  EXPECT_EQ(safe_hash("a").find_first_not_of("bcdfghjklmnpqrstvwxz2456789"), std::string::npos);
  EXPECT_NE(safe_hash("a"), safe_hash("b"));
}

TEST(Text, SplitsTrimsAndJoins) {
  EXPECT_EQ(split("", ','), std::vector<std::string_view>({""}));
  EXPECT_EQ(split("a,,b,", ','), std::vector<std::string_view>({"a", "", "b", ""}));
  EXPECT_EQ(trim(" \ta b\r\n"), "a b");
  EXPECT_EQ(trim(" "), "");
  EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(join({}, ","), "");
  EXPECT_TRUE(iequals("Content-Type", "content-tYPE"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_EQ(lower("AbC1"), "abc1");
}

TEST(ParseNumbers, TakeTheWholeText) {
  EXPECT_EQ(parse_int("-42"), -42);
  for (const char* text : {"", "1 ", " 1", "1x", "0x1", "+1", "9223372036854775808"})
    EXPECT_EQ(parse_int(text), std::nullopt) << text;
  EXPECT_EQ(parse_double("1.5e3"), 1500);
  EXPECT_EQ(parse_double("+Inf"), HUGE_VAL);
  EXPECT_TRUE(std::isnan(*parse_double("NaN")));
  for (const char* text : {"", "1x", "1,5", "+-1"}) EXPECT_EQ(parse_double(text), std::nullopt) << text;
}

TEST(DnsNames, AreCheckedAsKubernetesDoes) {
  EXPECT_TRUE(is_dns_label("a-1"));
  for (const std::string text : {"", "-a", "a-", "A", "a.b", "a_b"}) EXPECT_FALSE(is_dns_label(text)) << text;
  EXPECT_TRUE(is_dns_label(std::string(63, 'a')));
  EXPECT_FALSE(is_dns_label(std::string(64, 'a')));
  EXPECT_TRUE(is_dns_subdomain("a.b-c.d1"));
  for (const char* text : {"", "a..b", ".a", "a.", "a.-b"}) EXPECT_FALSE(is_dns_subdomain(text)) << text;
  EXPECT_FALSE(is_dns_subdomain(std::string(254, 'a')));
}

}  // namespace
}  // namespace tidegate::text
