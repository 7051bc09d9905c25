// SPDX-License-Identifier: Apache-2.0
#include "apiserver/cel/evaluate.h"

namespace tidegate::apiserver::cel {
namespace {

class Evaluator {
 public:
  Evaluator(const List& variables, Budget& budget) : slots_(variables), budget_(budget) {}

  Value run(const Expr& expr) {
    if (!budget_.spend()) return Value::failure("operation cancelled: actual cost limit exceeded");
    Value value = std::visit([&](const auto& node) { return visit(node); }, expr.node);
    budget_.spend_copy(value);
    return value;
  }

 private:
  static Value no_overload() { return Value::failure("no such overload"); }

  Value visit(const Literal& node) { return node.value; }
  Value visit(const Name& node) { return slots_[static_cast<std::size_t>(node.slot)]; }

  Value visit(const Select& node) {
    Value operand = run(*node.operand);
    if (operand.failed()) return operand;
    bool optional = node.optional;
    if (const Option* option = operand.if_a<Option>()) {
      if (!option->value) return node.test ? Value(false) : Value::none();
      operand = Value(*option->value);
      optional = true;
    }
    if (operand.kind() != kMap) return no_overload();
    auto found = lookup(operand, node.field, budget_);
    if (node.test) return found.has_value();
    if (!optional) return found ? std::move(*found) : Value::failure("no such key: " + node.field);
    if (!found) return Value::none();
    return found->kind() == kOptional ? std::move(*found) : Value::some(std::move(*found));
  }

  Value visit(const Call& node) {
    List arguments;
    for (const auto& argument : node.arguments) {
      arguments.push_back(run(*argument));
      if (arguments.back().failed()) return std::move(arguments.back());
    }
    for (const Overload* overload : node.overloads) {
      if (takes(*overload, arguments)) return overload->row.apply(arguments, budget_);
    }
    return no_overload();
  }

  // A term that decides wins over one that fails, in whatever order they stand.
  Value visit(const Logic& node) {
    std::optional<Value> failure;
    for (const auto& term : node.terms) {
      Value value = run(*term);
      if (const bool* truth = value.if_a<bool>()) {
        if (*truth == node.any) return node.any;
      } else if (!failure) {
        failure = value.failed() ? std::move(value) : no_overload();
      }
    }
    return failure ? std::move(*failure) : Value(!node.any);
  }

  Value visit(const Choice& node) {
    Value condition = run(*node.condition);
    if (const bool* truth = condition.if_a<bool>()) return run(*truth ? *node.yes : *node.no);
    return condition.failed() ? condition : no_overload();
  }

  // The value behind `?`; nullopt where it is absent.
  static std::optional<Value> given(Value value, bool optional) {
    if (!optional || value.failed()) return value;
    const Option* option = value.if_a<Option>();
    if (!option) return no_overload();
    return option->value ? std::optional<Value>(*option->value) : std::nullopt;
  }

  Value visit(const ListLiteral& node) {
    List items;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      auto value = given(run(*node.items[i]), node.optional[i]);
      if (!value) continue;
      if (value->failed()) return std::move(*value);
      items.push_back(std::move(*value));
    }
    return Value::list(std::move(items));
  }

  Value visit(const MapLiteral& node) {
    auto entries = std::make_shared<Entries>();
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      Value key = run(*node.keys[i]);
      if (key.failed()) return key;
      auto value = given(run(*node.values[i]), node.optional[i]);
      if (!value) continue;
      if (value->failed()) return std::move(*value);
      for (const auto& [known, unused] : *entries) {
        if (equal(known, key, budget_)) return Value::failure("Failed with repeated key");
      }
      entries->emplace_back(std::move(key), std::move(*value));
    }
    return std::shared_ptr<const Entries>(std::move(entries));
  }

  // The variables of one round: an item or a key; or index and item, key and value.
  void bind(const Comprehension& node, const Value& range, const List& items, std::size_t i) {
    if (node.variables.size() == 1) {
      slots_.push_back(items[i]);
    } else if (range.kind() == kList) {
      slots_.emplace_back(static_cast<std::int64_t>(i));
      slots_.push_back(items[i]);
    } else {
      slots_.push_back(items[i]);
      slots_.push_back(lookup(range, items[i], budget_).value_or(Value()));
    }
  }

  Value visit(const Comprehension& node) {
    const Value range = run(*node.range);
    if (range.failed()) return range;
    if (range.kind() != kList && range.kind() != kMap) return no_overload();
    const List items = elements(range, budget_);
    Round round{{}, {}, 0};
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].failed()) return items[i];
      bind(node, range, items, i);
      const bool go_on = step(node, items[i], round);
      slots_.resize(slots_.size() - node.variables.size());
      if (!go_on || budget_.exhausted()) break;
    }
    return result(node, std::move(round));
  }

  struct Round {
    std::optional<Value> answer, failure;
    std::int64_t count;
    List collected = {};
  };

  // False where the answer is known.
  bool step(const Comprehension& node, const Value& current, Round& round) {
    using Macro = Comprehension::Macro;
    if (node.filter) {
      Value value = run(*node.filter);
      const bool* truth = value.if_a<bool>();
      if (!truth) {
        if (!round.failure) round.failure = value.failed() ? std::move(value) : no_overload();
        return node.macro == Macro::kAll || node.macro == Macro::kExists;
      }
      if (node.macro == Macro::kAll || node.macro == Macro::kExists) {
        if (*truth == (node.macro == Macro::kExists)) round.answer = *truth;
        return !round.answer;
      }
      if (!*truth) return true;
    }
    ++round.count;
    if (node.macro == Macro::kFilter) round.collected.push_back(current);
    if (node.macro == Macro::kMap) {
      Value value = run(*node.transform);
      if (value.failed()) {
        round.failure = std::move(value);
        return false;
      }
      round.collected.push_back(std::move(value));
    }
    return true;
  }

  static Value result(const Comprehension& node, Round round) {
    if (round.answer) return std::move(*round.answer);
    if (round.failure) return std::move(*round.failure);
    switch (node.macro) {
      case Comprehension::Macro::kAll:
        return true;
      case Comprehension::Macro::kExists:
        return false;
      case Comprehension::Macro::kExistsOne:
        return round.count == 1;
      case Comprehension::Macro::kMap:
      case Comprehension::Macro::kFilter:
        return Value::list(std::move(round.collected));
    }
    return {};
  }

  Value visit(const OptionalMap& node) {
    Value operand = run(*node.operand);
    if (operand.failed()) return operand;
    const Option* option = operand.if_a<Option>();
    if (!option) return no_overload();
    if (!option->value) return Value::none();
    slots_.push_back(*option->value);
    Value value = run(*node.transform);
    slots_.pop_back();
    return node.flat || value.failed() ? value : Value::some(std::move(value));
  }

  List slots_;
  Budget& budget_;
};

}  // namespace

Value evaluate(const Expr& expr, const List& variables, Budget& budget) {
  return Evaluator(variables, budget).run(expr);
}

}  // namespace tidegate::apiserver::cel
