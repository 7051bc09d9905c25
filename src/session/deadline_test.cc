// SPDX-License-Identifier: Apache-2.0
#include "session/deadline.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace tidegate::session {
namespace {

using namespace std::chrono_literals;

class DeadlineTest : public testing::Test {
 protected:
  test::FakeScheduler scheduler_;
  int expired_ = 0;
  Deadline deadline_{scheduler_, [this] { ++expired_; }};
};

TEST_F(DeadlineTest, ExpiresOnceAtItsTime) {
  deadline_.set(10s);
  scheduler_.advance(9'999ms);
  EXPECT_EQ(expired_, 0);
  scheduler_.advance(1ms);
  EXPECT_EQ(expired_, 1);
  scheduler_.advance(1h);
  EXPECT_EQ(expired_, 1);
}

TEST_F(DeadlineTest, MovesLaterWithoutANewTimer) {
  deadline_.set(10s);
  for (int i = 0; i < 100; ++i) {
    scheduler_.advance(1s);
    deadline_.set(10s);
    EXPECT_EQ(scheduler_.pending(), 1u);
  }
  EXPECT_EQ(expired_, 0);
  scheduler_.advance(9'999ms);
  EXPECT_EQ(expired_, 0);
  scheduler_.advance(1ms);
  EXPECT_EQ(expired_, 1);
}

TEST_F(DeadlineTest, MovesEarlier) {
  deadline_.set(75s);
  deadline_.set(10s);
  scheduler_.advance(10s);
  EXPECT_EQ(expired_, 1);
}

TEST_F(DeadlineTest, IsSilentOnceCleared) {
  deadline_.set(10s);
  deadline_.clear();
  scheduler_.advance(1h);
  EXPECT_EQ(expired_, 0);
  deadline_.set(1s);
  scheduler_.advance(1s);
  EXPECT_EQ(expired_, 1);
}

TEST_F(DeadlineTest, MayBeDestroyedByItsOwnCall) {
  int calls = 0;
  std::unique_ptr<Deadline> own;
  own = std::make_unique<Deadline>(scheduler_, [&] {
    own.reset();
    ++calls;
  });
  own->set(1s);
  scheduler_.advance(1h);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace tidegate::session
