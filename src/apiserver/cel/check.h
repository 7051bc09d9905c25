// SPDX-License-Identifier: Apache-2.0
// Checks a parsed expression against the variables that it may use, and fills in what evaluation needs:
// slots, fields' names, overloads. Pure. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/cel/ast.h"
#include "apiserver/cel/type.h"

namespace tidegate::apiserver::cel {

struct Variable {
  std::string name;
  Type type;
};

// The expression's type; `used` (as long as `variables`) learns which of them it names. Errors (kInvalid):
// "ERROR: <input>:LINE:COLUMN: what", such as "undefined field 'x'", "undeclared reference to 'x'", "found no
// matching overload for '_+_' applied to '(int, string)'".
Result<Type> check(Expr& expr, std::string_view source, const std::vector<Variable>& variables,
                   std::vector<bool>* used = nullptr);

}  // namespace tidegate::apiserver::cel
