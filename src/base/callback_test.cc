// SPDX-License-Identifier: Apache-2.0
#include "base/callback.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace tidegate {
namespace {

TEST(Callback, CallsWhatItHolds) {
  int sum = 0;
  Callback<int(int, std::string)> add = [&sum](int n, const std::string& text) {
    return sum += n + std::stoi(text);
  };
  EXPECT_EQ(add(1, "2"), 3);
  EXPECT_EQ(add(3, "4"), 10);
}

TEST(Callback, EmptyIsFalse) {
  Callback<void()> callback;
  EXPECT_FALSE(callback);
  callback = [] {};
  EXPECT_TRUE(callback);
  const Callback<void()> moved = std::move(callback);
  EXPECT_TRUE(moved);
  EXPECT_FALSE(callback);  // NOLINT(bugprone-use-after-move)
}

template <std::size_t kSize>
void expect_one_owner() {
  const auto held = std::make_shared<int>(7);
  {
    Callback<int()> first = [held, filler = std::array<char, kSize>()] { return *held + filler[0]; };
    EXPECT_EQ(held.use_count(), 2);
    Callback<int()> second = std::move(first);
    EXPECT_EQ(held.use_count(), 2);
    EXPECT_EQ(second(), 7);
    second = [] { return 0; };
    EXPECT_EQ(held.use_count(), 1);
    first = [held] { return *held; };
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Callback, KeepsSmallCapturesUntilItsEnd) { expect_one_owner<1>(); }
TEST(Callback, KeepsLargeCapturesUntilItsEnd) { expect_one_owner<500>(); }

TEST(Callback, TakesWhatCanOnlyBeMoved) {
  Callback<int()> callback = [number = std::make_unique<int>(5)] { return *number; };
  EXPECT_EQ(callback(), 5);
}

}  // namespace
}  // namespace tidegate
