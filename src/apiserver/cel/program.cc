// SPDX-License-Identifier: Apache-2.0
#include "apiserver/cel/program.h"

#include "apiserver/cel/evaluate.h"
#include "apiserver/cel/parser.h"

namespace tidegate::apiserver::cel {

Result<Program> Program::compile(std::string_view source, const std::vector<Variable>& variables,
                                 Kind result) {
  auto expr = parse(source);
  if (!expr) return expr.error();
  std::vector<bool> used(variables.size());
  auto type = check(**expr, source, variables, &used);
  if (!type) return type.error();
  if (!type->is_dyn() && type->kind != result) {
    return Error{ErrorCode::kInvalid,
                 "must evaluate to " + std::string(kind_name(result)) + ", but is " + to_string(*type)};
  }
  return Program(std::move(*expr), std::move(used));
}

Value Program::run(const List& variables, Budget& budget) const {
  return evaluate(*expr_, variables, budget);
}

}  // namespace tidegate::apiserver::cel
