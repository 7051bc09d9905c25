// SPDX-License-Identifier: Apache-2.0
// Evaluates a checked expression. Total and bounded: what goes wrong is a value (kFailure), which && || ? and
// the quantifiers absorb as CEL says; a used-up budget ends everything. Pure. Thread: any.
#pragma once

#include "apiserver/cel/ast.h"

namespace tidegate::apiserver::cel {

// `variables` are the values of those that it was checked with, in that order.
Value evaluate(const Expr& expr, const List& variables, Budget& budget);

}  // namespace tidegate::apiserver::cel
