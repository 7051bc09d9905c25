// SPDX-License-Identifier: Apache-2.0
#include "gateway/hold_off.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace tidegate::gateway {
namespace {

class HoldOffTest : public testing::Test {
 protected:
  test::FakeScheduler time_;
  int runs_ = 0;
  HoldOff hold_off_{time_, Duration(10), Duration(100), [this] { ++runs_; }};
};

TEST_F(HoldOffTest, RunsOnceForAGroup) {
  hold_off_.trigger();
  time_.advance(Duration(9));
  hold_off_.trigger();
  time_.advance(Duration(9));
  EXPECT_EQ(runs_, 0);
  EXPECT_TRUE(hold_off_.pending());
  time_.advance(Duration(1));
  EXPECT_EQ(runs_, 1);
  EXPECT_FALSE(hold_off_.pending());
  time_.advance(Duration(1000));
  EXPECT_EQ(runs_, 1);
}

TEST_F(HoldOffTest, RunsUnderSteadyChange) {
  for (int i = 0; i < 100; ++i) {
    hold_off_.trigger();
    time_.advance(Duration(5));
  }
  EXPECT_EQ(runs_, 5);
}

TEST_F(HoldOffTest, RestsTwiceAsLongAsARunTook) {
  const TimePoint start = time_.clock().now();
  Duration worked{0};
  HoldOff slow(time_, Duration(10), Duration(100), [&] {
    time_.advance(Duration(50));
    worked += Duration(50);
    slow.trigger();
  });
  slow.trigger();
  time_.advance(Duration(1000));
  const Duration passed = time_.clock().now() - start;
  EXPECT_LE(worked, passed / 3 + Duration(50));
  EXPECT_GE(worked, passed / 4);
}

TEST_F(HoldOffTest, CanBeCancelled) {
  hold_off_.trigger();
  hold_off_.cancel();
  time_.advance(Duration(1000));
  EXPECT_EQ(runs_, 0);
}

}  // namespace
}  // namespace tidegate::gateway
