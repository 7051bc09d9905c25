// SPDX-License-Identifier: Apache-2.0
// Expressions into syntax trees (CEL's language definition, with the syntax of optionals). Pure and total,
// size and depth bounded. Thread: any.
#pragma once

#include <string_view>

#include "apiserver/cel/ast.h"

namespace tidegate::apiserver::cel {

// Errors (kInvalid): "ERROR: <input>:LINE:COLUMN: what".
Result<ExprPtr> parse(std::string_view source);

}  // namespace tidegate::apiserver::cel
