// SPDX-License-Identifier: Apache-2.0
#include "metrics/expression.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tidegate::metrics {
namespace {

struct Case {
  const char* text;
  std::vector<double> result;
  int expected;  // 1, 0, or -1: an error while evaluating, -2: does not parse
};

int outcome(const Case& c) {
  const auto expression = Expression::parse(c.text);
  if (!expression) return -2;
  const auto holds = expression->holds(c.result);
  return holds ? int(*holds) : -1;
}

TEST(Expression, EvaluatesConditions) {
  const Case cases[] = {
      {"result[0] >= 0.95", {0.95}, 1},
      {"result[0] >= 0.95", {0.949}, 0},
      {"result >= 0.95", {0.99}, 1},
      {"result[0] >= 0.95 && result[1] < 0.5", {0.99, 0.4}, 1},
      {"result[0] > 1 || result[0] < 0 and true", {0.5}, 0},
      {"!(result[0] > 1)", {0.5}, 1},
      {"not (result[0] > 1)", {0.5}, 1},
      {"1 + 2 * 3 == 7", {}, 1},
      {"(1 + 2) * 3 == 9", {}, 1},
      {"8 / 2 / 2 == 2", {}, 1},
      {"10 - 3 - 2 == 5", {}, 1},
      {"7 % 4 == 3", {}, 1},
      {"-2 < -1", {}, 1},
      {"1e3 == 1000", {}, 1},
      {"len(result) == 2", {1, 2}, 1},
      {"len(result) > 0 && result[0] > 1", {}, 0},
      {"isNaN(result[0]) || result[0] > 1", {std::nan("")}, 1},
      {"result[0] > 0.5", {std::nan("")}, 0},
      {"result[0] <= 0.5", {std::nan("")}, 0},
      {"max(result[0], result[1]) - min(result[0], result[1]) == 3", {1, 4}, 1},
      {"asFloat(result[0]) / 2 == 1", {2}, 1},
      {"result[len(result) - 1] == 9", {1, 9}, 1},
      {"result[1] > 0", {1}, -1},
      {"result[-1] > 0", {1}, -1},
      {"result[0]", {1}, -1},
      {"result[0] && true", {1}, -1},
      {"true + 1 > 1", {}, -1},
      {"", {}, -2},
      {"result[0] >=", {}, -2},
      {"result[0] >= 0.95 0.96", {}, -2},
      {"result[0", {}, -2},
      {"system('x')", {}, -2},
      {"1..2 > 0", {}, -2},
  };
  for (const auto& c : cases) EXPECT_EQ(outcome(c), c.expected) << c.text;
}

TEST(Expression, NamesWhereAndWhatWasExpected) {
  const auto parsed = Expression::parse("result[0] >= oops");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().detail,
            "condition at character 14 (\"oops\"): expected result, true, false or one of isNaN, isInf, len, "
            "abs, min, "
            "max, asFloat, asInt");
}

TEST(Expression, BoundsItsNesting) {
  EXPECT_FALSE(Expression::parse(std::string(5000, '(')));
  EXPECT_FALSE(Expression::parse(std::string(500, '(') + "1" + std::string(500, ')')));
  EXPECT_FALSE(Expression::parse(std::string(500, '!') + "true"));
}

}  // namespace
}  // namespace tidegate::metrics
