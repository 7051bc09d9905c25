// SPDX-License-Identifier: Apache-2.0
// The parsed form of a condition: nodes in one array, children before parents. Thread: none; plain values.
#pragma once

#include "metrics/expression.h"

namespace tidegate::metrics {

struct Expression::Node {
  enum class Kind {
    kNumber,
    kTrue,
    kFalse,
    kResult,
    kElement,  // values
    kOr,
    kAnd,
    kNot,  // truths
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kEqual,
    kNotEqual,
    kIsNan,
    kIsInf,  // numbers to truths
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kModulo,
    kNegate,  // numbers
    kLen,
    kAbs,
    kMin,
    kMax,
    kSame,
    kFloor,
  };
  Kind kind;
  double number = 0;
  int left = -1, right = -1;  // indices of children
};

}  // namespace tidegate::metrics
