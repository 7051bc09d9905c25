// SPDX-License-Identifier: Apache-2.0
#include "metrics/judge.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tidegate::metrics {
namespace {

Outcome outcome(const char* success, const char* failure, std::vector<double> result) {
  Criteria criteria;
  if (success) criteria.success = *Expression::parse(success);
  if (failure) criteria.failure = *Expression::parse(failure);
  return judge(criteria, result).outcome;
}

TEST(Judge, ConditionsAsInArgo) {
  EXPECT_EQ(outcome("result[0] >= 0.95", nullptr, {0.96}), Outcome::kSuccessful);
  EXPECT_EQ(outcome("result[0] >= 0.95", nullptr, {0.94}), Outcome::kFailed);
  EXPECT_EQ(outcome(nullptr, "result[0] < 0.9", {0.94}), Outcome::kSuccessful);
  EXPECT_EQ(outcome(nullptr, "result[0] < 0.9", {0.8}), Outcome::kFailed);
  EXPECT_EQ(outcome("result[0] >= 0.95", "result[0] < 0.9", {0.92}), Outcome::kInconclusive);
  EXPECT_EQ(outcome("result[5] >= 0.95", nullptr, {0.92}), Outcome::kError);
}

TEST(Judge, G5_NoDataIsNotSuccess) {
  EXPECT_EQ(outcome("result[0] >= 0.95", nullptr, {}), Outcome::kNoData);
  EXPECT_EQ(outcome(nullptr, "result[0] > 5", {std::nan("")}), Outcome::kNoData);
  EXPECT_EQ(outcome("true", nullptr, {std::nan("")}), Outcome::kNoData);
  EXPECT_EQ(judge({}, std::vector<double>{1}).outcome, Outcome::kError);
}

TEST(Judge, Range) {
  Criteria criteria;
  criteria.min = 99;
  EXPECT_EQ(judge(criteria, std::vector{99.0}).outcome, Outcome::kSuccessful);
  EXPECT_EQ(judge(criteria, std::vector{98.9}).outcome, Outcome::kFailed);
}

TEST(Judge, LimitsForgiveSoMany) {
  struct Case {
    Limits limits;
    std::vector<Outcome> outcomes;
    Phase expected;
  } cases[] = {
      {{0, 0, 4, {}}, {Outcome::kSuccessful}, Phase::kRunning},
      {{0, 0, 4, 1}, {Outcome::kSuccessful}, Phase::kSuccessful},
      {{0, 0, 4, 3}, {Outcome::kFailed}, Phase::kFailed},
      {{1, 0, 4, 3}, {Outcome::kFailed, Outcome::kSuccessful}, Phase::kRunning},
      {{1, 0, 4, 3}, {Outcome::kFailed, Outcome::kSuccessful, Outcome::kSuccessful}, Phase::kSuccessful},
      {{1, 0, 4, {}}, {Outcome::kFailed, Outcome::kFailed}, Phase::kFailed},
      {{0, 0, 4, {}}, {Outcome::kNoData}, Phase::kInconclusive},
      {{0, 2, 4, 2}, {Outcome::kNoData, Outcome::kInconclusive}, Phase::kInconclusive},
      {{0, 0, 1, {}}, {Outcome::kError}, Phase::kRunning},
      {{0, 0, 1, {}}, {Outcome::kError, Outcome::kSuccessful, Outcome::kError}, Phase::kRunning},
      {{0, 0, 1, {}}, {Outcome::kError, Outcome::kError}, Phase::kError},
      {{0, 0, 4, 1}, {Outcome::kError}, Phase::kRunning},  // asked again, so many times in a row
      {{0, 0, 4, 1}, {Outcome::kError, Outcome::kSuccessful}, Phase::kSuccessful},
      {{-1, 0, 4, 2}, {Outcome::kFailed, Outcome::kFailed}, Phase::kInconclusive},
      {{-1, 0, 4, 2}, {Outcome::kFailed, Outcome::kSuccessful}, Phase::kSuccessful},
      {{1, 0, 4, 5, 2}, {Outcome::kSuccessful, Outcome::kSuccessful}, Phase::kSuccessful},
      {{-1, 0, 4, {}, 2}, {Outcome::kSuccessful, Outcome::kFailed, Outcome::kSuccessful}, Phase::kRunning},
      {{1, 0, 4, 3, 2}, {Outcome::kSuccessful, Outcome::kFailed, Outcome::kSuccessful}, Phase::kInconclusive},
  };
  for (const auto& c : cases) {
    Tally tally;
    for (const auto outcome : c.outcomes) add(tally, outcome);
    EXPECT_EQ(conclude(c.limits, tally), c.expected);
  }
}

}  // namespace
}  // namespace tidegate::metrics
