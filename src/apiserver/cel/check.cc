// SPDX-License-Identifier: Apache-2.0
#include "apiserver/cel/check.h"

#include <algorithm>

#include "apiserver/cel/lexer.h"

namespace tidegate::apiserver::cel {
namespace {

// Names of types as values: type(x) == int.
constexpr Kind kTypeNames[] = {kBool, kInt, kUint, kDouble, kString, kBytes, kList, kMap, kNull};

class Checker {
 public:
  Checker(std::string_view source, std::vector<Variable> variables, std::vector<bool>* used)
      : source_(source), scope_(std::move(variables)), used_(used) {}

  Type type_of(Expr& expr) {
    if (error_) return {};
    if (!std::holds_alternative<ListLiteral>(expr.node)) mixed_ = false;
    return std::visit([&](auto& node) { return visit(expr, node); }, expr.node);
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  Type fail(const Expr& expr, const std::string& what) {
    if (!error_) error_ = error_at(source_, expr.offset, what);
    return {};
  }

  Type visit(Expr&, Literal& node) {
    const Kind kind = node.value.kind();
    return Type{kind};
  }

  const Variable* variable(std::string_view name) const {
    const auto found =
        std::find_if(scope_.rbegin(), scope_.rend(), [&](const auto& one) { return one.name == name; });
    return found == scope_.rend() ? nullptr : &*found;
  }

  Type visit(Expr& expr, Name& node) {
    if (const Variable* found = variable(node.name)) {
      node.slot = static_cast<int>(found - scope_.data());
      if (used_ && node.slot < static_cast<int>(used_->size())) (*used_)[node.slot] = true;
      return found->type;
    }
    for (const Kind kind : kTypeNames) {
      if (kind_name(kind) != node.name) continue;
      expr.node = Literal{TypeName{std::string(kind_name(kind))}};
      return Type{kTypeName};
    }
    return fail(expr, "undeclared reference to '" + node.name + "' (in container '')");
  }

  Type visit(Expr& expr, Select& node) {
    Type operand = type_of(*node.operand);
    if (error_) return {};
    const bool unwrap = operand.kind == kOptional;
    if (unwrap) operand = Type(operand.of[0]);
    auto field = field_of(expr, node, operand);
    if (!field) return {};
    if (node.test) return Type{kBool};
    if (!node.optional && !unwrap) return std::move(*field);
    return field->kind == kOptional ? std::move(*field) : Type{kOptional, {std::move(*field)}};
  }

  std::optional<Type> field_of(const Expr& expr, Select& node, const Type& operand) {
    if (operand.is_dyn()) return Type{};
    if (operand.kind == kMap) return operand.of[1];
    if (operand.kind != kObject) {
      fail(expr, "type '" + to_string(operand) + "' does not support field selection");
      return std::nullopt;
    }
    std::string key;
    auto field = field_type(operand, node.field, key);
    if (!field) {
      fail(expr, "undefined field '" + node.field + "'");
      return std::nullopt;
    }
    node.field = std::move(key);
    return field;
  }

  // optional.of(x) parses as a method of a variable `optional`; it is a function with a dotted name.
  void join_namespace(Call& node, bool& member) {
    const Name* name = node.target ? std::get_if<Name>(&node.target->node) : nullptr;
    if (!name || variable(name->name)) return;
    std::string dotted = name->name + "." + node.function;
    if (overloads(dotted, false).empty()) return;
    node.function = std::move(dotted);
    node.target = nullptr;
    member = false;
  }

  Type visit(Expr& expr, Call& node) {
    bool member = node.target != nullptr;
    join_namespace(node, member);
    if (member) node.arguments.insert(node.arguments.begin(), std::move(node.target));
    std::vector<Type> types;
    for (auto& argument : node.arguments) {
      mixed_ = member && node.function == "format";  // whose arguments are of any types
      types.push_back(type_of(*argument));
    }
    if (error_) return {};
    const auto candidates = overloads(node.function, member);
    if (candidates.empty())
      return fail(expr, "undeclared reference to '" + node.function + "' (in container '')");
    std::optional<Type> result;
    for (const Overload* candidate : candidates) {
      auto type = result_of(*candidate, types);
      if (!type) continue;
      node.overloads.push_back(candidate);
      result = result ? join(*result, *type) : std::move(*type);
    }
    return result ? std::move(*result) : no_overload(expr, node, types, member);
  }

  static std::optional<Type> result_of(const Overload& overload, const std::vector<Type>& types) {
    const auto& signature = overload.signature;
    if (signature.parameters.size() != types.size()) return std::nullopt;
    Bindings bindings;
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (!accepts(signature.parameters[i], types[i], bindings)) return std::nullopt;
    }
    return substitute(signature.result, bindings);
  }

  Type no_overload(const Expr& expr, const Call& node, const std::vector<Type>& types, bool member) {
    std::string given;
    for (std::size_t i = member ? 1 : 0; i < types.size(); ++i) {
      given += (given.empty() ? "" : ", ") + to_string(types[i]);
    }
    const std::string receiver = member ? to_string(types[0]) + "." : "";
    return fail(expr, "found no matching overload for '" + node.function + "' applied to '" + receiver + "(" +
                          given + ")'");
  }

  void expect_bool(Expr& expr, const std::string& function) {
    const Type type = type_of(expr);
    if (error_ || type.is_dyn() || type.kind == kBool) return;
    fail(expr, "found no matching overload for '" + function + "' applied to '(" + to_string(type) + ")'");
  }

  Type visit(Expr&, Logic& node) {
    for (auto& term : node.terms) expect_bool(*term, node.any ? "_||_" : "_&&_");
    return Type{kBool};
  }

  Type visit(Expr& expr, Choice& node) {
    expect_bool(*node.condition, "_?_:_");
    const Type yes = type_of(*node.yes), no = type_of(*node.no);
    if (error_) return {};
    Bindings none;
    if (!accepts(yes, no, none)) {
      return fail(expr, "found no matching overload for '_?_:_' applied to '(bool, " + to_string(yes) + ", " +
                            to_string(no) + ")'");
    }
    return join(yes, no);
  }

  // Of a literal's parts, which Kubernetes wants to be of one type.
  void add(const Expr& expr, std::optional<Type>& common, Type type, bool optional) {
    if (optional && type.kind == kOptional) type = Type(type.of[0]);
    Bindings none;
    if (common && !accepts(*common, type, none)) {
      fail(expr, "expected type '" + to_string(*common) + "' but found '" + to_string(type) + "'");
    }
    common = common ? join(*common, type) : std::move(type);
  }

  Type visit(Expr&, ListLiteral& node) {
    const bool mixed = std::exchange(mixed_, false);
    std::optional<Type> item;
    if (mixed) item = Type{};
    for (std::size_t i = 0; i < node.items.size(); ++i)
      add(*node.items[i], item, type_of(*node.items[i]), node.optional[i]);
    return Type{kList, {item.value_or(Type{})}};
  }

  Type visit(Expr&, MapLiteral& node) {
    std::optional<Type> key, value;
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      add(*node.keys[i], key, type_of(*node.keys[i]), false);
      add(*node.values[i], value, type_of(*node.values[i]), node.optional[i]);
    }
    return Type{kMap, {key.value_or(Type{}), value.value_or(Type{})}};
  }

  Type visit(Expr& expr, Comprehension& node) {
    const Type range = type_of(*node.range);
    if (error_) return {};
    if (!range.is_dyn() && range.kind != kList && range.kind != kMap) {
      return fail(*node.range, "expression of type '" + to_string(range) +
                                   "' cannot be range of a comprehension (must be list, map, or dynamic)");
    }
    const Type first = range.is_dyn() ? Type{} : range.of[0];
    const bool two = node.variables.size() == 2;
    if (two) {
      scope_.push_back({node.variables[0], range.kind == kList ? Type{kInt} : first});
      scope_.push_back({node.variables[1], range.is_dyn() ? Type{} : range.of.back()});
    } else {
      scope_.push_back({node.variables[0], first});
    }
    if (node.filter) expect_bool(*node.filter, "_&&_");
    Type result{kBool};
    if (node.macro == Comprehension::Macro::kFilter) result = Type{kList, {first}};
    if (node.macro == Comprehension::Macro::kMap) {
      Type item = type_of(*node.transform);
      result = Type{kList, {std::move(item)}};
    }
    scope_.resize(scope_.size() - node.variables.size());
    return error_ ? fail(expr, "") : result;
  }

  Type visit(Expr& expr, OptionalMap& node) {
    const Type operand = type_of(*node.operand);
    if (error_) return {};
    if (!operand.is_dyn() && operand.kind != kOptional)
      return fail(expr, "found no matching overload for 'optMap' applied to '" + to_string(operand) + ".()'");
    scope_.push_back({node.variable, operand.is_dyn() ? Type{} : operand.of[0]});
    Type result = type_of(*node.transform);
    scope_.pop_back();
    return node.flat ? result : Type{kOptional, {std::move(result)}};
  }

  std::string_view source_;
  std::vector<Variable> scope_;  // the innermost last: a variable's place is its slot
  std::vector<bool>* used_;
  bool mixed_ = false;  // the next list literal may hold values of several types
  std::optional<Error> error_;
};

}  // namespace

Result<Type> check(Expr& expr, std::string_view source, const std::vector<Variable>& variables,
                   std::vector<bool>* used) {
  Checker checker(source, variables, used);
  Type type = checker.type_of(expr);
  if (checker.error()) return *checker.error();
  return type;
}

}  // namespace tidegate::apiserver::cel
