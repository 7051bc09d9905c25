// SPDX-License-Identifier: Apache-2.0
// An expression as parsed: macros are nodes of their own, operators are calls. The checker fills in what it
// finds out: slots of variables, names of fields in documents, overloads. Const after that. Thread: any.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "apiserver/cel/functions.h"
#include "apiserver/cel/value.h"

namespace tidegate::apiserver::cel {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Literal {
  Value value;
};
struct Name {
  std::string name;
  int slot = -1;  // checked: the variable's place; literals of types are turned into Literal
};
struct Select {
  ExprPtr operand;
  std::string field;      // checked: as documents have it
  bool test = false;      // has()
  bool optional = false;  // .?field
};
struct Call {
  std::string function;
  ExprPtr target;  // nullptr: a global function
  std::vector<ExprPtr> arguments;
  std::vector<const Overload*> overloads =
      {};  // checked: those that may apply, the target being the first argument
};
struct Logic {  // && or || of two and more
  bool any = false;
  std::vector<ExprPtr> terms;
};
struct Choice {
  ExprPtr condition, yes, no;
};
struct ListLiteral {
  std::vector<ExprPtr> items;
  std::vector<bool> optional;
};
struct MapLiteral {
  std::vector<ExprPtr> keys, values;
  std::vector<bool> optional;
};
// A macro over a list's items or a map's keys; with two variables over index and item, or key and value.
struct Comprehension {
  enum class Macro { kAll, kExists, kExistsOne, kMap, kFilter };
  Macro macro;
  ExprPtr range;
  std::vector<std::string> variables;
  ExprPtr filter;     // of map() with three arguments, of filter() and of the quantifiers
  ExprPtr transform;  // of map()
};
// range.optMap(x, transform) and optFlatMap.
struct OptionalMap {
  ExprPtr operand;
  std::string variable;
  ExprPtr transform;
  bool flat = false;
};

struct Expr {
  std::variant<Literal, Name, Select, Call, Logic, Choice, ListLiteral, MapLiteral, Comprehension,
               OptionalMap>
      node;
  std::size_t offset = 0;  // in the source
  int depth = 1;
};

}  // namespace tidegate::apiserver::cel
