// SPDX-License-Identifier: Apache-2.0
// The choice among endpoints, without connections.
#include "proxy/backends.h"

#include <gtest/gtest.h>

#include "net/event_loop.h"
#include "tests/support/fake_clock.h"

namespace tidegate::proxy {
namespace {

using namespace std::chrono_literals;

class ChooseTest : public ::testing::Test {
 protected:
  BackendEndpointPtr add(Duration age = 1h) {
    auto made = std::make_shared<BackendEndpoint>(
        loop.io(), scheduler,
        session::Endpoint{{"10.0.0.1", static_cast<std::uint16_t>(view.ready.size() + 1)}, nullptr, {}},
        session::ClientLimits{});
    made->health = EndpointHealth(now() - age);
    return view.ready.emplace_back(std::move(made));
  }
  SteadyTime now() { return scheduler.clock().steady_now(); }
  BackendEndpointPtr choose(const BackendEndpoint* avoid = nullptr) {
    return choose_endpoint(view, avoid, random, now(), settings);
  }
  // How often `endpoint` is chosen of 10,000 times.
  int chosen(const BackendEndpointPtr& endpoint) {
    int count = 0;
    for (int i = 0; i < 10'000; ++i) count += choose() == endpoint;
    return count;
  }
  bool fail(BackendEndpoint& endpoint) {
    bool ejected = false;
    for (int i = 0; i < settings.eject_after; ++i) ejected |= note_failure(view, endpoint, now(), settings);
    return ejected;
  }

  net::EventLoop loop;
  test::FakeScheduler scheduler;
  Random random{7};
  BalanceSettings settings;
  BackendView view;
};

TEST_F(ChooseTest, EqualEndpointsGetEqualShares) {
  for (int i = 0; i < 4; ++i) add();
  for (const auto& endpoint : view.ready) EXPECT_NEAR(chosen(endpoint), 2'500, 150);
}

TEST_F(ChooseTest, TheBusiestIsNeverChosen) {
  for (int i = 0; i < 4; ++i) add()->active = 3;
  view.ready[2]->active = 9;
  EXPECT_EQ(chosen(view.ready[2]), 0);
}

TEST_F(ChooseTest, ANewOneGetsItsShareLittleByLittle) {
  for (int i = 0; i < 3; ++i) add();
  const auto fresh = add(0s);
  const int at_first = chosen(fresh);
  scheduler.advance(5s);
  const int later = chosen(fresh);
  scheduler.advance(5s);
  EXPECT_NEAR(at_first, 300, 120);
  EXPECT_NEAR(later, 1'430, 200);
  EXPECT_NEAR(chosen(fresh), 2'500, 150);
}

TEST_F(ChooseTest, NewOnesAloneShareEqually) {
  for (int i = 0; i < 3; ++i) add(0s);
  for (const auto& endpoint : view.ready) EXPECT_NEAR(chosen(endpoint), 3'333, 200);
}

TEST_F(ChooseTest, AnEjectedOneIsLeftOutUntilItsTimeIsUp) {
  for (int i = 0; i < 3; ++i) add();
  EXPECT_TRUE(fail(*view.ready[0]));
  EXPECT_EQ(chosen(view.ready[0]), 0);
  scheduler.advance(31s);
  EXPECT_GT(chosen(view.ready[0]), 0);
}

TEST_F(ChooseTest, NoMoreThanTheirShareAreEjectedAndNeverAll) {
  struct Case {
    int endpoints, percent, ejected;
  };
  for (const Case& c :
       {Case{1, 10, 0}, Case{2, 10, 1}, Case{10, 10, 1}, Case{30, 10, 3}, Case{4, 50, 2}, Case{3, 100, 2}}) {
    view.ready.clear();
    settings.max_ejected_percent = c.percent;
    for (int i = 0; i < c.endpoints; ++i) add();
    int ejected = 0;
    for (const auto& endpoint : view.ready) ejected += fail(*endpoint);
    EXPECT_EQ(ejected, c.ejected) << c.endpoints << " endpoints, " << c.percent << " %";
    EXPECT_TRUE(choose());
  }
}

TEST_F(ChooseTest, WhereAllAreEjectedTheyServeRatherThanNone) {
  for (int i = 0; i < 2; ++i) add()->health.eject(now(), settings);
  EXPECT_NEAR(chosen(view.ready[0]), 5'000, 200);
  EXPECT_EQ(choose(view.ready[0].get()), view.ready[1]);
}

TEST_F(ChooseTest, TheOneToAvoidServesWhereItIsAlone) {
  const auto only = add();
  EXPECT_EQ(choose(only.get()), only);
  const auto other = add();
  EXPECT_EQ(choose(only.get()), other);
}

}  // namespace
}  // namespace tidegate::proxy
