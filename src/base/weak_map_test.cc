// SPDX-License-Identifier: Apache-2.0
#include "base/weak_map.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidegate {
namespace {

TEST(WeakMap, GivesTheSameOneAsLongAsSomebodyHoldsIt) {
  WeakMap<std::string, int> map;
  const auto make = [made = 0]() mutable { return std::make_shared<int>(++made); };
  auto first = map.get_or_make("a", make);
  EXPECT_EQ(map.get_or_make("a", [] { return std::make_shared<int>(9); }), first);
  first.reset();
  EXPECT_EQ(*map.get_or_make("a", [] { return std::make_shared<int>(9); }), 9);
}

TEST(WeakMap, KeepsNoNull) {
  WeakMap<std::string, int> map;
  EXPECT_EQ(map.get_or_make("a", [] { return std::shared_ptr<int>(); }), nullptr);
  EXPECT_EQ(map.entries(), 0U);
}

TEST(WeakMap, ForgetsWhatIsGone) {
  WeakMap<int, int> map;
  std::vector<std::shared_ptr<int>> held;
  for (int i = 0; i < 10'000; ++i) {
    auto one = map.get_or_make(i, [i] { return std::make_shared<int>(i); });
    if (i < 100) held.push_back(one);
  }
  EXPECT_LE(map.entries(), 300U);
  EXPECT_EQ(map.get_or_make(7, [] { return std::make_shared<int>(0); }), held[7]);
}

}  // namespace
}  // namespace tidegate
