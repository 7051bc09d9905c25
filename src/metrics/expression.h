// SPDX-License-Identifier: Apache-2.0
// Conditions over a metric's result, in the form that Argo Rollouts' users know: result[0] >= 0.95 &&
// !isNaN(result[0]).
//   or      = and ("||" and)*            also: or, and, not
//   and     = unary-or-comparison ("&&" ...)*
//   operand = sum (("<" | "<=" | ">" | ">=" | "==" | "!=") sum)?
//   sum     = product (("+" | "-") product)*          product = unary (("*" | "/" | "%") unary)*
//   unary   = ("!" | "-") unary | number | true | false | result | result[sum] | name(arguments) | (or)
// Functions: isNaN isInf len abs min max asFloat asInt. `result` alone is the list; in arithmetic a list of
// one is its element. Total: a wrong text is an Error from parse, a wrong value (index past the end, a number
// where a truth is needed) one from evaluate. Thread: none; immutable once parsed.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tidegate::metrics {

class Expression {
 public:
  static Result<Expression> parse(std::string_view text);

  // Whether the condition holds for these values. A comparison with NaN is false, as in IEEE 754.
  Result<bool> holds(std::span<const double> result) const;

  struct Node;

 private:
  explicit Expression(std::shared_ptr<const std::vector<Node>> nodes) : nodes_(std::move(nodes)) {}
  std::shared_ptr<const std::vector<Node>> nodes_;  // children before parents; the last one is the root
};

}  // namespace tidegate::metrics
