// SPDX-License-Identifier: Apache-2.0
#include "http/url.h"

#include <gtest/gtest.h>

namespace tidegate::http {
namespace {

struct UrlCase {
  const char* text;
  bool tls;
  const char* host;
  std::uint16_t port;
  const char* target;
};

TEST(ParseUrl, TakesApartWhatAClientNeeds) {
  const UrlCase cases[] = {
      {"http://a", false, "a", 80, "/"},
      {"https://shop.example", true, "shop.example", 443, "/"},
      {"HTTPS://Shop.example:8443/", true, "Shop.example", 8443, "/"},
      {"http://10.0.0.1:9090/api/v1/query?query=up%7B%7D", false, "10.0.0.1", 9090,
       "/api/v1/query?query=up%7B%7D"},
      {"http://[::1]:80/a//b/../c", false, "::1", 80, "/a//b/../c"},
      {"http://a?match[]=b", false, "a", 80, "/?match[]=b"},
      {"http://a/?b=http://c@d", false, "a", 80, "/?b=http://c@d"},
  };
  for (const UrlCase& test : cases) {
    const auto url = parse_url(test.text);
    ASSERT_TRUE(url) << test.text;
    EXPECT_EQ(url->tls, test.tls) << test.text;
    EXPECT_EQ(url->host, test.host);
    EXPECT_EQ(url->port, test.port);
    EXPECT_EQ(url->target, test.target);
  }
  EXPECT_EQ(parse_url("http://[::1]:80/a")->authority, "[::1]:80");
}

TEST(ParseUrl, RefusesAllElse) {
  for (const char* text : {"",
                           "a",
                           "a/b",
                           "://a",
                           "ftp://a",
                           "http:/a",
                           "http://",
                           "http:///b",
                           "http://:80",
                           "http://a:",
                           "http://a:65536",
                           "http://user:secret@a",
                           "http://@a",
                           "http://a#b",
                           "http://a/#b",
                           "http://a b",
                           "http://a/b c",
                           "http://a/%zz",
                           "http://a/%4",
                           "http://a/\n",
                           "http://a/\xc3\xa4",
                           "http://a\\@b",
                           "http://[::1",
                           "http://::1",
                           "http://[fe80::1%25eth0]",
                           " http://a"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

}  // namespace
}  // namespace tidegate::http
