// SPDX-License-Identifier: Apache-2.0
// Session persistence, through the proxy.
#include <gtest/gtest.h>

#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    table.backend("stable", {stable1.endpoint(), stable2.endpoint()});
    table.backend("canary", {canary1.endpoint(), canary2.endpoint()});
    rule().session = {"basket"};
  }
  routing::Rule& rule() {
    if (table.listener().rules.empty()) table.rule("/", {{0, 50, {}, ""}, {1, 50, {}, ""}});
    return table.listener().rules.front();
  }
  void publish() {
    proxy.publish(table.build());
    if (!client) client = std::make_unique<Client>(address);
  }
  Reply get(const std::string& cookie = {}) {
    return client->get("/", "h", cookie.empty() ? "" : "Cookie: a=b; " + cookie + "\r\n").value_or(Reply{});
  }
  // The cookie of a new client that is served by `endpoint`.
  std::string begin(const std::string& endpoint) {
    for (int i = 0; i < 100; ++i) {
      const Reply reply = get();
      if (reply.body == endpoint) return cookie_of(reply);
    }
    return "none";
  }
  static std::string cookie_of(const Reply& reply) {
    const auto found = reply.headers.find("set-cookie");
    return found == reply.headers.end() ? "" : found->second.substr(0, found->second.find(';'));
  }

  net::Address address = free_address();
  FakeBackend stable1{"stable1"}, stable2{"stable2"}, canary1{"canary1"}, canary2{"canary2"};
  TableBuilder table{address};
  ProxyUnderTest proxy{2};
  std::unique_ptr<Client> client;
};

TEST_F(SessionTest, AClientStaysWhereItBeganWhateverTheWeights) {
  publish();
  for (const char* endpoint : {"stable1", "stable2", "canary1", "canary2"}) {
    const std::string cookie = begin(endpoint);
    for (const std::uint32_t weight : {50U, 1U, 0U}) {
      rule().backends[endpoint[0] == 's' ? 0 : 1].weight = weight;
      publish();
      for (int i = 0; i < 10; ++i) {
        const Reply reply = get(cookie);
        EXPECT_EQ(reply.body, endpoint);
        EXPECT_EQ(cookie_of(reply), "") << "it has it already";
      }
    }
    rule().backends[0].weight = rule().backends[1].weight = 50;
    publish();
  }
}

TEST_F(SessionTest, NewClientsAreSplitByTheWeights) {
  rule().backends[0].weight = 90;
  rule().backends[1].weight = 10;
  publish();
  for (int i = 0; i < 500; ++i) get();
  EXPECT_NEAR(canary1.requests() + canary2.requests(), 50, 3);
}

TEST_F(SessionTest, WhereTheEndpointIsGoneOrLeavesAnotherSessionBegins) {
  publish();
  const std::string first = begin("stable1");
  table.table.backends[0].endpoints[0].draining = true;
  publish();
  const Reply moved = get(first);
  EXPECT_NE(moved.body, "stable1");
  const std::string second = cookie_of(moved);
  ASSERT_NE(second, "");
  EXPECT_EQ(get(second).body, moved.body);
  table.table.backends[0].endpoints.erase(table.table.backends[0].endpoints.begin());
  publish();
  EXPECT_NE(cookie_of(get(first)), "");
}

TEST_F(SessionTest, AMadeUpCookieIsNone) {
  publish();
  for (const char* value : {"basket=1.2.3.4", "basket=nonsense", "other=1.2.3.4"})
    EXPECT_NE(cookie_of(get(value)), "") << value;
}

TEST_F(SessionTest, IdleSessionsAreKeptAliveByTheirRequests) {
  rule().session->idle_timeout = std::chrono::minutes(5);
  publish();
  EXPECT_NE(cookie_of(get(begin("stable1"))), "");
}

TEST_F(SessionTest, TheGatewaysOwnErrorsBeginNone) {
  table.table.backends[0].endpoints.clear();
  table.table.backends[1].endpoints.clear();
  publish();
  const Reply reply = get();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(cookie_of(reply), "");
}

}  // namespace
}  // namespace tidegate::proxy::test
