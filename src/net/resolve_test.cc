// SPDX-License-Identifier: Apache-2.0
#include "net/resolve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "net/event_loop.h"

namespace tidegate::net {
namespace {

using namespace std::chrono_literals;
using Looked = std::optional<Result<std::vector<Address>>>;

class ResolverTest : public testing::Test {
 protected:
  // What is said of a host, by a limit that a name server which is away does not reach.
  Looked look_up(const std::string& host) {
    Looked looked;
    const auto lookup = resolver_->lookup(host, 80, [&](auto found) { looked = std::move(found); });
    EXPECT_FALSE(looked) << "called within lookup()";
    const auto limit = system_clock().steady_now() + 60s;
    while (!looked && system_clock().steady_now() < limit) {
      loop_.io().restart();
      loop_.io().run_one_for(10ms);
    }
    return looked;
  }

  EventLoop loop_;
  std::unique_ptr<Resolver> resolver_ = open_resolver(loop_.io());
};

TEST_F(ResolverTest, FindsTheLocalHost) {
  const auto found = look_up("localhost");
  ASSERT_TRUE(found && *found);
  EXPECT_TRUE(std::all_of((*found)->begin(), (*found)->end(), [](const Address& address) {
    return (address.ip == "127.0.0.1" || address.ip == "::1") && address.port == 80;
  }));
}

TEST_F(ResolverTest, TakesAddressesAsTheyAre) {
  for (const char* ip : {"192.0.2.1", "2001:db8::1"}) {
    const auto found = look_up(ip);
    ASSERT_TRUE(found && *found) << ip;
    EXPECT_EQ(**found, (std::vector<Address>{{ip, 80}}));
  }
}

TEST_F(ResolverTest, SaysWhichNameIsNone) {
  const auto found = look_up("nowhere.invalid");
  ASSERT_TRUE(found && !*found);
  EXPECT_EQ(found->error().code, ErrorCode::kUnavailable);
  const auto& detail = found->error().detail;
  EXPECT_TRUE(detail == "no host is named nowhere.invalid" ||
              detail == "no name server answers for nowhere.invalid")
      << detail;
}

TEST_F(ResolverTest, RefusesWhatWouldWaitBehindTooMany) {
  std::vector<std::unique_ptr<Resolver::Lookup>> lookups;
  std::size_t found = 0;
  std::vector<Error> errors;
  for (std::size_t i = 0; i < kMaxLookups + 2; ++i) {  // one is under way
    lookups.push_back(resolver_->lookup("localhost", 80, [&](const auto& result) {
      if (result)
        ++found;
      else
        errors.push_back(result.error());
    }));
  }
  const auto limit = system_clock().steady_now() + 10s;
  while (found + errors.size() < kMaxLookups + 2 && system_clock().steady_now() < limit)
    loop_.io().run_one_for(10ms);
  EXPECT_EQ(found, kMaxLookups + 1);
  EXPECT_EQ(errors,
            (std::vector<Error>{{ErrorCode::kLimit, "too many names are looked up to ask for localhost"}}));
}

TEST_F(ResolverTest, WhatIsGivenUpSaysNothingAndLeavesItsPlace) {
  std::vector<std::unique_ptr<Resolver::Lookup>> lookups;
  bool told = false;
  for (std::size_t i = 0; i < kMaxLookups + 1; ++i) {
    lookups.push_back(resolver_->lookup("localhost", 80, [&](const auto&) { told = true; }));
  }
  lookups.push_back(resolver_->lookup("127.0.0.1", 80, [&](const auto&) { told = true; }));
  lookups.clear();
  const auto found = look_up("localhost");
  EXPECT_TRUE(found && *found);
  EXPECT_FALSE(told);
}

TEST_F(ResolverTest, ItsEndIsSilent) {
  bool told = false;
  const auto named = resolver_->lookup("localhost", 80, [&](const auto&) { told = true; });
  const auto next = resolver_->lookup("localhost", 80, [&](const auto&) { told = true; });
  const auto numeric = resolver_->lookup("127.0.0.1", 80, [&](const auto&) { told = true; });
  resolver_.reset();
  loop_.io().run_for(1s);
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace tidegate::net
