// SPDX-License-Identifier: Apache-2.0
#include "http/uri.h"

#include <gtest/gtest.h>

namespace tidegate::http {
namespace {

struct PathCase {
  const char* path;
  std::optional<std::string> normal;
};

TEST(NormalizePath, LeavesOneSpelling) {
  const PathCase cases[] = {
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"/a/b/", "/a/b/"},
      {"//a//b", "//a//b"},
      {"/%61%7e%2D", "/a~-"},
      {"/%c3%a9", "/%C3%A9"},
      {"/a%20b%0d", "/a%20b%0D"},
      {"/a/./b", "/a/b"},
      {"/a/.", "/a/"},
      {"/./a", "/a"},
      {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a//../b", "/a/b"},
      {"/a/%2e%2E/b", "/b"},
      {"/a/..b/...", "/a/..b/..."},
      {"/a;x=1/b", "/a;x=1/b"},
      {"/a/%252e", "/a/%252e"},
      {"", std::nullopt},
      {"a", std::nullopt},
      {"*", std::nullopt},
      {"/..", std::nullopt},
      {"/a/../..", std::nullopt},
      {"/%2e%2e/a", std::nullopt},
      {"/a%2fb", std::nullopt},
      {"/a%5Cb", std::nullopt},
      {"/a\\b", std::nullopt},
      {"/%00", std::nullopt},
      {"/%", std::nullopt},
      {"/%4", std::nullopt},
      {"/%zz", std::nullopt},
      {"/a b", std::nullopt},
      {"/a\x01", std::nullopt},
      {"/\xc3\xa9", std::nullopt},
      {"/a?b", std::nullopt},
      {"/a#b", std::nullopt},
  };
  for (const PathCase& test : cases) {
    EXPECT_EQ(normalize_path(test.path), test.normal) << test.path;
    EXPECT_TRUE(!is_plain_path(test.path) || test.normal == test.path) << test.path;
  }
}

TEST(NormalizePath, KnowsPlainPathsAtOnce) {
  for (const char* path : {"/", "/api/v1/items", "/a//b;x=1,2/~user/file.tar.gz", "/a.b/"})
    EXPECT_TRUE(is_plain_path(path)) << path;
}

TEST(NormalizePath, IsStable) {
  for (const char* path : {"/a/%7E/../%41//b/.", "/%25%32%65", "/x/./../y/"}) {
    const auto once = normalize_path(path);
    ASSERT_TRUE(once) << path;
    EXPECT_EQ(normalize_path(*once), once) << path;
  }
}

TEST(ParseQuery, SplitsAndDecodes) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(parse_query("a=1&b=%20x&c&=d&&e=f=g&h=1+2"),
            (Pairs{{"a", "1"}, {"b", " x"}, {"c", ""}, {"", "d"}, {"e", "f=g"}, {"h", "1+2"}}));
  EXPECT_EQ(parse_query("a=%zz"), (Pairs{{"a", "%zz"}}));
  EXPECT_EQ(parse_query(""), Pairs{});
}

TEST(PercentCoding, IsUndoneByItsInverse) {
  const std::string bytes = "a b/\x01\xff~";
  EXPECT_EQ(percent_encode(bytes), "a%20b%2F%01%FF~");
  EXPECT_EQ(percent_decode(percent_encode(bytes)), bytes);
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
}

struct AuthorityCase {
  const char* text;
  bool valid;
  const char* host = "";
  std::optional<std::uint16_t> port = {};
};

TEST(ParseAuthority, TakesHostsWithOrWithoutPort) {
  const AuthorityCase cases[] = {
      {"shop.example", true, "shop.example"},
      {"shop.example:80", true, "shop.example", 80},
      {"my_service:1", true, "my_service", 1},
      {"127.0.0.1:0", true, "127.0.0.1", 0},
      {"[::1]", true, "[::1]"},
      {"[::ffff:1.2.3.4]:443", true, "[::ffff:1.2.3.4]", 443},
      {"", false},
      {":80", false},
      {"a:", false},
      {"a:65536", false},
      {"a:000080", false},
      {"a:+1", false},
      {"a b", false},
      {"a/b", false},
      {"u@a", false},
      {"a,b", false},
      {"a%41", false},
      {"[::1", false},
      {"[]", false},
      {"[a]", false},
      {"[::1]x", false},
      {"::1", false},
  };
  for (const AuthorityCase& test : cases) {
    const auto parts = parse_authority(test.text);
    ASSERT_EQ(parts.has_value(), test.valid) << test.text;
    if (!parts) continue;
    EXPECT_EQ(parts->host, test.host);
    EXPECT_EQ(parts->port, test.port);
  }
}

}  // namespace
}  // namespace tidegate::http
