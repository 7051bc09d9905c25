// SPDX-License-Identifier: Apache-2.0
// A compiled expression: parsed, checked, of the type that was asked for. Immutable. Thread: any.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "apiserver/cel/ast.h"
#include "apiserver/cel/check.h"

namespace tidegate::apiserver::cel {

class Program {
 public:
  // `result` is the type that it has to have. Errors (kInvalid): as check(), or the type that it has instead.
  static Result<Program> compile(std::string_view source, const std::vector<Variable>& variables,
                                 Kind result);

  // `variables` in the order of compile().
  Value run(const List& variables, Budget& budget) const;
  // Whether the expression names that variable (as its own, not a macro's).
  bool uses(std::size_t variable) const { return variable < used_.size() && used_[variable]; }

 private:
  Program(ExprPtr expr, std::vector<bool> used) : expr_(std::move(expr)), used_(std::move(used)) {}

  std::shared_ptr<const Expr> expr_;
  std::vector<bool> used_;
};

}  // namespace tidegate::apiserver::cel
