// SPDX-License-Identifier: Apache-2.0
#include "routing/sticky_split.h"

#include <gtest/gtest.h>

#include <array>

#include "routing/weighted_pick.h"

namespace tidegate::routing {
namespace {

const StickySplit kSplit{"shop-version", "v2"};

std::optional<std::uint64_t> read(const StickySplit& split, const std::string& cookies) {
  http::Headers headers;
  headers.add("Cookie", cookies);
  return read_point(split, headers);
}

std::string given(const StickySplit& split, std::uint64_t point) {
  const std::string cookie = point_cookie(split, point, false);
  return cookie.substr(0, cookie.find(';'));
}

TEST(StickySplit, ReadsWhatItWrites) {
  for (const std::uint64_t point : {0ULL, 1ULL, 0x8000000000000000ULL, 0xFFFFFFFFFFFFFFFFULL})
    EXPECT_EQ(read(kSplit, "a=b; " + given(kSplit, point) + "; c=d"), point);
}

TEST(StickySplit, TheCookieIsForTheWholeHostAndNotForScripts) {
  const std::string cookie = point_cookie(kSplit, 7, true);
  EXPECT_EQ(cookie.substr(cookie.find(';')), "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure");
}

TEST(StickySplit, WhatIsNoneOfOursIsNone) {
  for (const std::string value : {"", "g", "-1", "1 2", "0x1", "11111111111111111"})
    EXPECT_FALSE(read(kSplit, "shop-version=" + value)) << value;
  EXPECT_FALSE(read(kSplit, "other=1"));
}

TEST(StickySplit, AnotherSaltDealsAnew) {
  const WeightedPick pick(std::array<std::uint32_t, 2>{90, 10});
  PickSequence sequence;
  int canaries = 0, again = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t point = sequence.next();
    if (pick.at(point) != 1u) continue;
    ++canaries;
    for (const std::string salt : {"v3", "v4", "v5", "v6"})
      again += pick.at(*read({"shop-version", salt}, given(kSplit, point))) == 1u;
  }
  EXPECT_NEAR(canaries, 100, 3);
  EXPECT_LT(again, 2 * canaries) << "of four times as many";
}

// Wherever the canary stands in the rule, and whatever else does.
TEST(StickySplit, WhoMetAGrowingCanaryKeepsIt) {
  const std::array<std::array<std::uint32_t, 3>, 3> orders[] = {
      {{{95, 5, 0}, {75, 25, 0}, {0, 100, 0}}},
      {{{5, 95, 0}, {25, 75, 0}, {100, 0, 0}}},
      {{{95, 100, 5}, {75, 100, 25}, {0, 100, 100}}}};
  const std::size_t canary[] = {1, 0, 2};
  for (std::size_t order = 0; order < 3; ++order) {
    PickSequence sequence;
    for (int i = 0; i < 1000; ++i) {
      const std::string cookie = given(kSplit, sequence.next());
      bool met = false;
      for (const auto& weights : orders[order]) {
        const bool now = WeightedPick(weights).at(*read(kSplit, cookie)) == canary[order];
        EXPECT_TRUE(now || !met) << order << ": " << cookie;
        met = now;
      }
    }
  }
}

}  // namespace
}  // namespace tidegate::routing
