// SPDX-License-Identifier: Apache-2.0
#include "proxy/forwarding.h"

#include <gtest/gtest.h>

#include <set>

#include "proxy/error.h"

namespace tidegate::proxy {
namespace {

http::RequestHead get(std::string target) {
  http::RequestHead head;
  head.method = "GET";
  head.target = std::move(target);
  head.scheme = "https";
  head.authority = "shop.example";
  return head;
}

TEST(NormalizeTarget, WhatIsMatchedIsWhatIsForwarded) {
  struct Case {
    std::string target, expected;  // empty: refused
  };
  const Case cases[] = {{"/a/b?x=%2F", "/a/b?x=%2F"},
                        {"/a/./b/../c?q", "/a/c?q"},
                        {"/%61", "/a"},
                        {"*", "*"},
                        {"/a%2Fb", ""},
                        {"/../a", ""},
                        {"/a%00", ""}};
  for (const Case& c : cases) {
    auto head = get(c.target);
    EXPECT_EQ(normalize_target(head), !c.expected.empty()) << c.target;
    if (!c.expected.empty()) {
      EXPECT_EQ(head.target, c.expected);
    }
  }
}

TEST(PrepareRequest, ForwardingFieldsAreOverwritten) {
  Random random(1);
  for (const char* client : {"10.1.2.3:4000", "[fd00::1]:4000"}) {
    auto head = get("/");
    head.headers = {
        {"x-forwarded-for", "6.6.6.6"}, {"X-Forwarded-For", "7.7.7.7"}, {"x-forwarded-proto", "http"}};
    prepare_request(head, client, random);
    EXPECT_EQ(head.headers.count("x-forwarded-for"), 1U);
    EXPECT_EQ(head.headers.get("x-forwarded-for"), client[0] == '1' ? "10.1.2.3" : "fd00::1");
    EXPECT_EQ(head.headers.get("x-forwarded-proto"), "https");
    EXPECT_EQ(head.headers.get("x-forwarded-host"), "shop.example");
  }
}

TEST(PrepareRequest, RequestIdsAreKeptWhereSaneAndUniqueWhereMade) {
  Random random(1);
  std::set<std::string> made;
  for (int i = 0; i < 100; ++i) {
    auto head = get("/");
    prepare_request(head, "10.1.2.3:4000", random);
    made.emplace(*head.headers.get("x-request-id"));
  }
  EXPECT_EQ(made.size(), 100U);
  auto sane = get("/"), mad = get("/");
  sane.headers = {{"x-request-id", "abc-1"}};
  mad.headers = {{"x-request-id", std::string(500, 'a')}};
  prepare_request(sane, "10.1.2.3:4000", random);
  prepare_request(mad, "10.1.2.3:4000", random);
  EXPECT_EQ(sane.headers.get("x-request-id"), "abc-1");
  EXPECT_EQ(mad.headers.get("x-request-id")->size(), 32U);
}

TEST(ErrorPolicy, TokensAreUniqueAndFailuresNamed) {
  std::set<std::string_view> tokens;
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kClientGone); ++kind) {
    const ErrorPolicy& row = policy(static_cast<ErrorKind>(kind));
    EXPECT_TRUE(tokens.insert(row.token).second) << row.token;
    EXPECT_TRUE(row.failure == FailureReason::kNone || row.status >= 500) << row.token;
    EXPECT_EQ(row.failure == FailureReason::kNone, to_string(row.failure).empty());
  }
}

}  // namespace
}  // namespace tidegate::proxy
