// SPDX-License-Identifier: Apache-2.0
#include "routing/filters.h"

#include <gtest/gtest.h>

namespace tidegate::routing {
namespace {

http::RequestHead request(std::string target, std::string authority = "shop.example") {
  http::RequestHead head;
  head.method = "GET";
  head.target = std::move(target);
  head.scheme = "http";
  head.authority = std::move(authority);
  return head;
}

constexpr auto kFull = PathRewrite::Kind::kFull;
constexpr auto kPrefix = PathRewrite::Kind::kPrefix;

TEST(RewritePath, FollowsGatewayApi) {
  struct Case {
    PathRewrite rewrite;
    std::string path, prefix, expected;
  };
  const Case cases[] = {
      {{kPrefix, "/xyz"}, "/foo/bar", "/foo", "/xyz/bar"},
      {{kPrefix, "/xyz"}, "/foo", "/foo", "/xyz"},
      {{kPrefix, "/xyz"}, "/foo/", "/foo", "/xyz/"},
      {{kPrefix, "/xyz/"}, "/foo/bar", "/foo", "/xyz/bar"},
      {{kPrefix, ""}, "/foo", "/foo", "/"},
      {{kPrefix, ""}, "/foo/bar", "/foo", "/bar"},
      {{kPrefix, "/"}, "/foo", "/foo", "/"},
      {{kPrefix, "/"}, "/foo/bar", "/foo", "/bar"},
      {{kPrefix, "/xyz"}, "/bar", "/", "/xyz/bar"},
      {{kPrefix, "/xyz"}, "/", "/", "/xyz/"},
      {{kFull, "/one"}, "/foo/bar", "/foo", "/one"},
      {{}, "/foo/bar", "/foo", "/foo/bar"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(rewrite_path(c.rewrite, c.path, c.prefix), c.expected)
        << c.path << " under " << c.prefix << " to " << c.rewrite.value;
  }
}

TEST(Redirect, LocationFollowsGatewayApi) {
  struct Case {
    Redirect filter;
    std::uint16_t listener_port;
    std::string location;
  };
  const Case cases[] = {
      {{.scheme = "https"}, 80, "https://shop.example/a?q=1"},
      {{.scheme = "https"}, 8080, "https://shop.example/a?q=1"},
      {{.hostname = "other.example"}, 80, "http://other.example/a?q=1"},
      {{.hostname = "other.example"}, 8080, "http://other.example:8080/a?q=1"},
      {{.port = 8443}, 80, "http://shop.example:8443/a?q=1"},
      {{.scheme = "https", .port = 443}, 80, "https://shop.example/a?q=1"},
      {{.path = {kFull, "/b"}}, 80, "http://shop.example/b?q=1"},
      {{.path = {kPrefix, "/b"}, .status = 301}, 80, "http://shop.example/b?q=1"},
  };
  for (const Case& c : cases) {
    auto head = request("/a?q=1", "shop.example:1234");
    const std::vector<Filter> filters = {c.filter};
    const auto answer = apply_request_filters(filters, {"/a", c.listener_port}, head);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->location, c.location);
    EXPECT_EQ(answer->status, c.filter.status);
  }
}

TEST(RequestFilters, HeadersAreSetAddedAndRemoved) {
  auto head = request("/");
  head.headers = {{"X-Set", "old"}, {"x-set", "older"}, {"X-Add", "a"}, {"X-Gone", "1"}};
  HeaderModifier modifier;
  modifier.set = {{"x-SET", "new"}};
  modifier.add = {{"x-add", "b"}};
  modifier.remove = {"x-gone"};
  const std::vector<Filter> filters = {modifier};
  EXPECT_EQ(apply_request_filters(filters, {}, head), std::nullopt);
  EXPECT_EQ(head.headers.count("x-set"), 1U);
  EXPECT_EQ(head.headers.get("x-set"), "new");
  EXPECT_EQ(head.headers.count("x-add"), 2U);
  EXPECT_FALSE(head.headers.has("x-gone"));
}

TEST(RequestFilters, ResponseModifierLeavesTheRequestAlone) {
  auto head = request("/");
  HeaderModifier modifier;
  modifier.response = true;
  modifier.set = {{"x-a", "1"}};
  const std::vector<Filter> filters = {modifier};
  apply_request_filters(filters, {}, head);
  EXPECT_TRUE(head.headers.empty());
  http::Headers response;
  apply_response_filters(filters, response);
  EXPECT_EQ(response.get("x-a"), "1");
}

TEST(RequestFilters, RewriteKeepsTheQuery) {
  auto head = request("/foo/bar?x=1&y=2");
  const std::vector<Filter> filters = {UrlRewrite{"internal.example", {kPrefix, "/v2"}}};
  EXPECT_EQ(apply_request_filters(filters, {"/foo", 80}, head), std::nullopt);
  EXPECT_EQ(head.target, "/v2/bar?x=1&y=2");
  EXPECT_EQ(head.authority, "internal.example");
}

TEST(RequestFilters, SettingHostChangesTheAuthority) {
  auto head = request("/");
  HeaderModifier modifier;
  modifier.set = {{"Host", "other.example"}};
  const std::vector<Filter> filters = {modifier};
  apply_request_filters(filters, {}, head);
  EXPECT_EQ(head.authority, "other.example");
  EXPECT_FALSE(head.headers.has("host"));
}

TEST(RequestFilters, AnAnswerEndsTheChain) {
  auto head = request("/");
  HeaderModifier later;
  later.set = {{"x-later", "1"}};
  const std::vector<Filter> filters = {DirectResponse{503, "no backends"}, later};
  EXPECT_EQ(apply_request_filters(filters, {}, head), (Answer{503, {}, "no backends", {}}));
  EXPECT_TRUE(head.headers.empty());
}

TEST(SelectMirrors, TakesTheAskedFraction) {
  Table table;
  table.backends.resize(2);
  Listener listener;
  Rule rule;
  rule.matches.resize(1);
  rule.filters = {Mirror{0, 1, 4}, Mirror{1, 100, 100}, Mirror{9, 100, 100}};
  listener.rules = {rule};
  table.listeners = {listener};
  const auto compiled = compile(std::make_shared<const Table>(table));
  std::vector<int> counts(2);
  for (int n = 0; n < 400; ++n) {
    for (const auto backend : select_mirrors(*compiled->listeners[0]->rules[0])) ++counts[backend];
  }
  EXPECT_NEAR(counts[0], 100, 2);
  EXPECT_EQ(counts[1], 400);
}

}  // namespace
}  // namespace tidegate::routing
