// SPDX-License-Identifier: Apache-2.0
#include "gateway/addresses.h"

#include <gtest/gtest.h>

namespace tidegate::gateway {
namespace {

TEST(ParseIpv4, TakesTheCanonicalFormOnly) {
  EXPECT_EQ(parse_ipv4("127.77.0.1"), 0x7f4d0001U);
  for (const char* text :
       {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.-4", "1.2.3. 4", "::1", "a.b.c.d"})
    EXPECT_FALSE(parse_ipv4(text)) << text;
  EXPECT_EQ(format_ipv4(0xfffefd00U), "255.254.253.0");
}

TEST(ParsePool, LeavesOutTheFirstAndTheLastAddress) {
  struct Case {
    const char *cidr, *first, *last;
  };
  for (const auto& [cidr, first, last] :
       {Case{"127.77.0.0/16", "127.77.0.1", "127.77.255.254"}, Case{"10.0.0.5/30", "10.0.0.5", "10.0.0.6"},
        Case{"10.0.0.4/31", "10.0.0.4", "10.0.0.5"}, Case{"10.0.0.4/32", "10.0.0.4", "10.0.0.4"}}) {
    const auto pool = parse_pool(cidr);
    ASSERT_TRUE(pool) << cidr;
    EXPECT_EQ(format_ipv4(pool->first), first);
    EXPECT_EQ(format_ipv4(pool->last), last);
  }
  for (const char* cidr : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/0", "10.0.0/8", "::/64"})
    EXPECT_FALSE(parse_pool(cidr)) << cidr;
}

class Assign : public testing::Test {
 protected:
  GatewayNode& add(const std::string& name, int age, const std::string& status = {},
                   const std::string& spec = {}) {
    api::Gateway gateway;
    gateway.meta.name = name;
    gateway.meta.created = TimePoint(std::chrono::seconds(1000 - age));
    if (!status.empty()) gateway.status.addresses = {{"IPAddress", status}};
    if (!spec.empty()) gateway.addresses = {{"IPAddress", spec}};
    auto& node = graph_.gateways[{"", name}];
    node.gateway = std::make_shared<const api::Gateway>(gateway);
    return node;
  }
  void assign() { assign_addresses(state_, *parse_pool("10.0.0.0/29"), graph_); }

  ClusterState state_;
  Graph graph_;
};

TEST_F(Assign, OfTwoThatClaimTheSameTheOlderKeepsIt) {
  auto& young = add("a", 1, "10.0.0.3");
  auto& old = add("b", 2, "10.0.0.3");
  assign();
  EXPECT_EQ(old.addresses, std::vector<std::string>{"10.0.0.3"});
  EXPECT_EQ(young.addresses, std::vector<std::string>{"10.0.0.1"});
}

TEST_F(Assign, WhatWasPromisedIsKeptBeforeItIsWritten) {
  auto& first = add("a", 1);
  state_.assigned[{"", "a"}] = {"10.0.0.2"};
  auto& older = add("b", 9);
  assign();
  EXPECT_EQ(first.addresses, std::vector<std::string>{"10.0.0.2"});
  EXPECT_EQ(older.addresses, std::vector<std::string>{"10.0.0.1"});
}

TEST_F(Assign, NobodyAsksAwayAnAddressThatServes) {
  auto& serving = add("a", 1, "10.0.0.1");
  auto& asking = add("b", 2, "", "10.0.0.1");
  assign();
  EXPECT_EQ(serving.addresses, std::vector<std::string>{"10.0.0.1"});
  EXPECT_TRUE(asking.addresses.empty());
  ASSERT_EQ(asking.problems.size(), 1U);
  EXPECT_EQ(asking.problems[0].reason, Reason::kAddressNotUsable);
}

TEST_F(Assign, AnAddressOfAnotherPoolIsGivenUp) {
  auto& moved = add("a", 1, "192.0.2.1");
  assign();
  EXPECT_EQ(moved.addresses, std::vector<std::string>{"10.0.0.1"});
}

}  // namespace
}  // namespace tidegate::gateway
