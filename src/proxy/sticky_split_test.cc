// SPDX-License-Identifier: Apache-2.0
// Sticky splits, through the proxy.
#include <gtest/gtest.h>

#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

class StickySplitTest : public ::testing::Test {
 protected:
  StickySplitTest() {
    table.backend("stable", {stable.endpoint()});
    table.backend("canary", {canary.endpoint()});
    table.rule("/", {{0, 95, {}, ""}, {1, 5, {}, ""}});
    rule().sticky = {"version", "v2"};
    publish(5);
  }
  routing::Rule& rule() { return table.listener().rules.front(); }
  void publish(std::uint32_t percent) {
    rule().backends[0].weight = 100 - percent;
    rule().backends[1].weight = percent;
    proxy.publish(table.build());
    if (!client) client = std::make_unique<Client>(address);
  }
  Reply get(const std::string& cookie = {}) {
    return client->get("/", "h", cookie.empty() ? "" : "Cookie: " + cookie + "\r\n").value_or(Reply{});
  }
  static std::string cookie_of(const Reply& reply) {
    const auto found = reply.headers.find("set-cookie");
    return found == reply.headers.end() ? "" : found->second.substr(0, found->second.find(';'));
  }

  net::Address address = free_address();
  FakeBackend stable{"stable"}, canary{"canary"};
  TableBuilder table{address};
  ProxyUnderTest proxy{2};
  std::unique_ptr<Client> client;
};

TEST_F(StickySplitTest, UsersWhoMetTheCanaryKeepItWhileItGrows) {
  std::vector<std::string> users, met;
  for (int i = 0; i < 400; ++i) {
    const Reply reply = get();
    users.push_back(cookie_of(reply));
    ASSERT_FALSE(users.back().empty());
    if (reply.body == "canary") met.push_back(users.back());
  }
  EXPECT_NEAR(double(met.size()), 20, 3) << "new users are split as the weight says";
  for (const std::uint32_t percent : {5, 25, 50}) {
    publish(percent);
    for (const auto& user : met) EXPECT_EQ(get(user).body, "canary") << user << " at " << percent;
    std::size_t canaries = 0;
    for (const auto& user : users) canaries += get(user).body == "canary";
    EXPECT_NEAR(double(canaries), 4.0 * percent, 4);
  }
}

TEST_F(StickySplitTest, AnAbortTakesAllOfThemBack) {
  std::string user;
  for (int i = 0; i < 100 && user.empty(); ++i) {
    const Reply reply = get();
    if (reply.body == "canary") user = cookie_of(reply);
  }
  ASSERT_FALSE(user.empty());
  publish(0);
  EXPECT_EQ(get(user).body, "stable");
}

TEST_F(StickySplitTest, OnlyWhoHasNoPlaceIsGivenOne) {
  const std::string user = cookie_of(get());
  EXPECT_EQ(cookie_of(get("a=b; " + user)), "");
  EXPECT_NE(cookie_of(get("version=broken!")), "");
}

}  // namespace
}  // namespace tidegate::proxy::test
