// SPDX-License-Identifier: Apache-2.0
// Evaluation. Nodes are visited in order, so a child's value is there when its parent is reached; no
// recursion.
#include "metrics/expression.h"

#include <algorithm>
#include <cmath>

#include "metrics/expression_node.h"

namespace tidegate::metrics {
namespace {

using Node = Expression::Node;
using Kind = Node::Kind;

struct Value {
  enum class Type { kNumber, kTruth, kList, kWrong } type = Type::kWrong;
  double number = 0;  // a truth: 0 or 1
};

Value of(double number) { return {Value::Type::kNumber, number}; }
Value of(bool truth) { return {Value::Type::kTruth, truth ? 1.0 : 0.0}; }

class Evaluation {
 public:
  Evaluation(const std::vector<Node>& nodes, std::span<const double> result)
      : nodes_(nodes), result_(result) {}

  Result<bool> run() {
    values_.reserve(nodes_.size());
    for (const Node& node : nodes_) values_.push_back(evaluate(node));
    const Value root = values_.back();
    if (root.type == Value::Type::kTruth) return root.number != 0;
    return Error{ErrorCode::kInvalid,
                 wrong_.empty() ? "condition is no truth: expected a comparison" : wrong_};
  }

 private:
  // && and || forgive what is wrong on the side that does not matter, so that len(result) > 0 && result[0] >
  // 1 works.
  Value either(const Node& node, bool decisive) {
    const Value left = values_[node.left], right = values_[node.right];
    if (left.type == Value::Type::kTruth && (left.number != 0) == decisive) return of(decisive);
    if (left.type != Value::Type::kTruth || right.type != Value::Type::kTruth)
      return wrong("a truth", left, right);
    return of(right.number != 0);
  }

  Value compare(Kind kind, double a, double b) {
    switch (kind) {
      case Kind::kLess:
        return of(a < b);
      case Kind::kLessEqual:
        return of(a <= b);
      case Kind::kGreater:
        return of(a > b);
      case Kind::kGreaterEqual:
        return of(a >= b);
      case Kind::kEqual:
        return of(a == b);
      default:
        return of(a != b);
    }
  }

  Value element(const Value& index) {
    if (index.type != Value::Type::kNumber) return wrong("a number", index, index);
    if (!(index.number >= 0 && index.number < static_cast<double>(result_.size()))) {
      note("result has " + std::to_string(result_.size()) + " values: expected an index below that");
      return {};
    }
    return of(result_[static_cast<std::size_t>(index.number)]);
  }

  Value arithmetic(Kind kind, double a, double b) {
    switch (kind) {
      case Kind::kAdd:
        return of(a + b);
      case Kind::kSubtract:
        return of(a - b);
      case Kind::kMultiply:
        return of(a * b);
      case Kind::kDivide:
        return of(a / b);
      case Kind::kModulo:
        return of(std::fmod(a, b));
      case Kind::kNegate:
        return of(-a);
      case Kind::kAbs:
        return of(std::abs(a));
      case Kind::kMin:
        return of(std::fmin(a, b));
      case Kind::kMax:
        return of(std::fmax(a, b));
      case Kind::kFloor:
        return of(std::trunc(a));
      case Kind::kIsNan:
        return of(std::isnan(a));
      case Kind::kIsInf:
        return of(std::isinf(a));
      case Kind::kSame:
        return of(a);
      default:
        return compare(kind, a, b);
    }
  }

  Value evaluate(const Node& node) {
    switch (node.kind) {
      case Kind::kNumber:
        return of(node.number);
      case Kind::kTrue:
        return of(true);
      case Kind::kFalse:
        return of(false);
      case Kind::kResult:
        return {Value::Type::kList, 0};
      case Kind::kElement:
        return element(values_[node.left]);
      case Kind::kOr:
        return either(node, true);
      case Kind::kAnd:
        return either(node, false);
      case Kind::kNot: {
        const Value value = values_[node.left];
        return value.type == Value::Type::kTruth ? of(value.number == 0) : wrong("a truth", value, value);
      }
      case Kind::kLen:
        return values_[node.left].type == Value::Type::kList ? of(static_cast<double>(result_.size()))
                                                             : wrong("result", values_[node.left], {});
      default: {
        const Value left = as_number(values_[node.left]);
        const Value right = node.right < 0 ? of(0.0) : as_number(values_[node.right]);
        const auto number = Value::Type::kNumber;
        if (left.type != number || right.type != number) return wrong("a number", left, right);
        return arithmetic(node.kind, left.number, right.number);
      }
    }
  }

  Value as_number(Value value) {
    if (value.type == Value::Type::kList && result_.size() == 1) return of(result_[0]);
    return value;
  }

  Value wrong(const char* expected, const Value&, const Value&) {
    note(std::string("condition has a value of the wrong type: expected ") + expected);
    return {};
  }
  void note(std::string text) {
    if (wrong_.empty()) wrong_ = std::move(text);
  }

  const std::vector<Node>& nodes_;
  std::span<const double> result_;
  std::vector<Value> values_;
  std::string wrong_;
};

}  // namespace

Result<bool> Expression::holds(std::span<const double> result) const {
  return Evaluation(*nodes_, result).run();
}

}  // namespace tidegate::metrics
