// SPDX-License-Identifier: Apache-2.0
#include "http/headers.h"

#include <gtest/gtest.h>

#include "http/message.h"

namespace tidegate::http {
namespace {

TEST(Headers, KeepOrderAndCaseAndCompareWithoutIt) {
  Headers headers = {{"X-One", "1"}, {"x-ONE", "2"}, {"Other", "3"}};
  EXPECT_EQ(headers.get("X-one"), "1");
  EXPECT_EQ(headers.count("x-one"), 2u);
  EXPECT_EQ(headers.begin()->name, "X-One");
  headers.set("x-one", "4");
  EXPECT_EQ(headers.count("x-one"), 1u);
  headers.remove("OTHER");
  EXPECT_FALSE(headers.has("other"));
}

TEST(Headers, ViewsOutliveGrowthAndMoves) {
  Headers headers;
  headers.add("first", "value");
  const std::string_view value = *headers.get("first");
  for (int i = 0; i < 1000; ++i) headers.add("name" + std::to_string(i), std::string(50, 'x'));
  Headers moved = std::move(headers);
  EXPECT_EQ(value.data(), moved.get("first")->data());
  EXPECT_EQ(value, "value");
}

TEST(Headers, ACopyOwnsItsBytes) {
  Headers copy;
  {
    Headers original = {{"a", "1"}};
    copy = original;
    original.set("a", "2");
  }
  EXPECT_EQ(copy.get("a"), "1");
}

TEST(Headers, SetTakesAViewOfAFieldThatItReplaces) {
  Headers headers = {{"a", "old"}};
  headers.set("a", *headers.get("a"));
  EXPECT_EQ(headers.get("a"), "old");
}

TEST(Headers, FindTokensInLists) {
  const Headers headers = {{"Connection", "keep-alive , X"}, {"connection", "close"}, {"TE", "trailers;q=1"}};
  EXPECT_TRUE(headers.has_token("connection", "x"));
  EXPECT_TRUE(headers.has_token("Connection", "CLOSE"));
  EXPECT_FALSE(headers.has_token("connection", "keep"));
  EXPECT_FALSE(headers.has_token("te", "trailers"));
}

TEST(Headers, AClearedInstanceIsUsedAgain) {
  Headers headers;
  for (int round = 0; round < 3; ++round) {
    headers.clear();
    EXPECT_TRUE(headers.empty());
    for (int i = 0; i < 100; ++i) headers.add("n", std::to_string(i));
    EXPECT_EQ(headers.size(), 100u);
    EXPECT_EQ(headers.get("n"), "0");
  }
}

// A field that is not there is told without a look at those that are: what says so must keep up.
TEST(Headers, KnowWhatTheyHoldThroughChangesCopiesAndMoves) {
  Headers headers = {{"Upgrade", "websocket"}, {"a", "1"}};
  EXPECT_TRUE(headers.has("upgrade"));
  EXPECT_FALSE(headers.has("te"));
  headers.remove("UPGRADE");
  EXPECT_FALSE(headers.has("upgrade"));
  headers.set("TE", "trailers");
  headers.set("te", "gzip");
  EXPECT_EQ(headers.count("te"), 1u);
  EXPECT_TRUE(headers.has_token("te", "gzip"));
  const Headers copy = headers;
  EXPECT_TRUE(copy.has("te"));
  Headers moved;
  moved.add("expect", "100-continue");
  moved = std::move(headers);
  EXPECT_TRUE(moved.has("te"));
  EXPECT_FALSE(moved.has("expect"));
  moved.clear();
  EXPECT_FALSE(moved.has_any({KnownField::kTe, KnownField::kExpect}));
}

TEST(RemoveHopByHop, TakesWhatConnectionNames) {
  Headers headers = {{"Connection", "close, X-Hop ,"},
                     {"X-Hop", "1"},
                     {"Keep-Alive", "1"},
                     {"TE", "trailers"},
                     {"Upgrade", "h2c"},
                     {"X-End", "2"},
                     {"Proxy-Connection", "x"}};
  remove_hop_by_hop(headers);
  ASSERT_EQ(headers.size(), 1u);
  EXPECT_EQ(headers.begin()->name, "X-End");
}

TEST(RequestHead, SplitsTargetAndAuthority) {
  RequestHead head;
  head.target = "/a?b?c";
  head.authority = "[::1]:80";
  EXPECT_EQ(head.path(), "/a");
  EXPECT_EQ(head.query(), "b?c");
  EXPECT_EQ(head.host(), "[::1]");
  head.authority = "[::1]";
  EXPECT_EQ(head.host(), "[::1]");
  head.authority = "a:1";
  EXPECT_EQ(head.host(), "a");
}

}  // namespace
}  // namespace tidegate::http
