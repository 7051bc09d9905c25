// SPDX-License-Identifier: Apache-2.0
#include "proxy/retry_budget.h"

#include <gtest/gtest.h>

namespace tidegate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

class RetryBudgetTest : public ::testing::Test {
 protected:
  int taken(int asked, SteadyTime now) {
    int out = 0;
    for (int i = 0; i < asked; ++i) out += budget.take(now, settings);
    return out;
  }
  void requests(int count, SteadyTime now) {
    for (int i = 0; i < count; ++i) budget.request(now);
  }
  RetryBudget budget;
  RetrySettings settings;
};

TEST_F(RetryBudgetTest, AFewASecondWhateverTheTraffic) {
  EXPECT_EQ(taken(100, kStart), 10);
  EXPECT_EQ(taken(100, kStart + 999ms), 0);
  EXPECT_EQ(taken(100, kStart + 1s), 10);
}

TEST_F(RetryBudgetTest, AShareOfTheRequestsOfTheLastTenSeconds) {
  requests(1'000, kStart);
  EXPECT_EQ(taken(500, kStart + 9s), 200);
  requests(100, kStart + 9s);
  EXPECT_EQ(taken(500, kStart + 9s), 20);
  EXPECT_EQ(taken(500, kStart + 10s), 10) << "the first second's requests have left";
}

TEST_F(RetryBudgetTest, RetriesSpentStaySpentForTenSeconds) {
  settings.min_per_second = 0;
  for (int second = 0; second < 10; ++second) requests(100, kStart + second * 1s);
  EXPECT_EQ(taken(500, kStart + 9s), 200);
  requests(100, kStart + 18s);
  EXPECT_EQ(taken(500, kStart + 18s), 0);
  EXPECT_EQ(taken(500, kStart + 19s), 20);
}

TEST_F(RetryBudgetTest, NothingAllowedIsNothing) {
  settings = {0, 0};
  requests(1'000, kStart);
  EXPECT_EQ(taken(10, kStart), 0);
}

}  // namespace
}  // namespace tidegate::proxy
