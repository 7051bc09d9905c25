// SPDX-License-Identifier: Apache-2.0
// Text to nodes: one recursive descent, a function a level of precedence.
#include <cctype>

#include "base/text.h"
#include "metrics/expression_node.h"
#include "metrics/limits.h"

namespace tidegate::metrics {
namespace {

using Kind = Expression::Node::Kind;

struct Function {
  std::string_view name;
  Kind kind;
  int arguments;
};
constexpr Function kFunctions[] = {{"isNaN", Kind::kIsNan, 1},  {"isInf", Kind::kIsInf, 1},
                                   {"len", Kind::kLen, 1},      {"abs", Kind::kAbs, 1},
                                   {"min", Kind::kMin, 2},      {"max", Kind::kMax, 2},
                                   {"asFloat", Kind::kSame, 1}, {"asInt", Kind::kFloor, 1}};

struct Operator {
  std::string_view text;
  Kind kind;
};
constexpr Operator kComparisons[] = {{"<=", Kind::kLessEqual}, {">=", Kind::kGreaterEqual},
                                     {"==", Kind::kEqual},     {"!=", Kind::kNotEqual},
                                     {"<", Kind::kLess},       {">", Kind::kGreater}};
constexpr Operator kSums[] = {{"+", Kind::kAdd}, {"-", Kind::kSubtract}};
constexpr Operator kProducts[] = {{"*", Kind::kMultiply}, {"/", Kind::kDivide}, {"%", Kind::kModulo}};

bool word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<Expression::Node>> run() {
    if (text_.size() > kMaxExpressionBytes)
      return Error{ErrorCode::kLimit, "condition is longer than 4096 bytes"};
    any_of();
    skip_space();
    if (!failed_ && at_ < text_.size()) fail("an operator or the end");
    if (failed_) return error_;
    return std::move(nodes_);
  }

 private:
  int any_of() {
    int left = all_of();
    while (!failed_ && (take("||") || take_word("or"))) left = add(Kind::kOr, left, all_of());
    return left;
  }
  int all_of() {
    int left = comparison();
    while (!failed_ && (take("&&") || take_word("and"))) left = add(Kind::kAnd, left, comparison());
    return left;
  }
  int comparison() {
    const int left = binary(kSums, &Parser::product);
    for (const auto& op : kComparisons) {
      if (!failed_ && take(op.text)) return add(op.kind, left, binary(kSums, &Parser::product));
    }
    return left;
  }
  int product() { return binary(kProducts, &Parser::unary); }

  template <std::size_t N>
  int binary(const Operator (&operators)[N], int (Parser::*operand)()) {
    int left = (this->*operand)();
    for (bool more = true; more && !failed_;) {
      more = false;
      for (const auto& op : operators) {
        if (failed_ || !take(op.text)) continue;
        left = add(op.kind, left, (this->*operand)());
        more = true;
      }
    }
    return left;
  }

  int unary() {
    if (++depth_ > kMaxExpressionDepth) return fail("less nesting");
    int node = 0;
    if (take("!") || take_word("not")) {
      node = add(Kind::kNot, unary());
    } else if (take("-")) {
      node = add(Kind::kNegate, unary());
    } else {
      node = primary();
    }
    --depth_;
    return node;
  }

  int primary() {
    if (take("(")) {
      const int node = any_of();
      return expect(")"), node;
    }
    if (at_ >= text_.size()) return fail("a value");
    const char c = text_[at_];
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '.') return number();
    if (word_character(c)) return word();
    return fail("a value");
  }

  int number() {
    std::size_t end = at_;
    while (end < text_.size() &&
           (word_character(text_[end]) || text_[end] == '.' ||
            ((text_[end] == '-' || text_[end] == '+') && (text_[end - 1] == 'e' || text_[end - 1] == 'E')))) {
      ++end;
    }
    const auto value = text::parse_double(text_.substr(at_, end - at_));
    if (!value) return fail("a number");
    at_ = end;
    return add_number(*value);
  }

  int word() {
    std::size_t end = at_;
    while (end < text_.size() && word_character(text_[end])) ++end;
    const std::string_view name = text_.substr(at_, end - at_);
    if (name == "result") return at_ = end, result();
    if (name == "true" || name == "false") return at_ = end, add(name == "true" ? Kind::kTrue : Kind::kFalse);
    for (const auto& function : kFunctions) {
      if (function.name == name) return at_ = end, call(function);
    }
    return fail("result, true, false or one of isNaN, isInf, len, abs, min, max, asFloat, asInt");
  }

  int result() {
    if (!take("[")) return add(Kind::kResult);
    const int index = binary(kSums, &Parser::product);
    expect("]");
    return add(Kind::kElement, index);
  }

  int call(const Function& function) {
    expect("(");
    const int first = failed_ ? 0 : any_of();
    int second = -1;
    if (function.arguments == 2) {
      expect(",");
      second = failed_ ? 0 : any_of();
    }
    expect(")");
    return add(function.kind, first, second);
  }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool take(std::string_view token) {
    skip_space();
    if (failed_ || !text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  bool take_word(std::string_view word) {
    skip_space();
    const std::string_view rest = text_.substr(at_);
    if (failed_ || !rest.starts_with(word)) return false;
    if (rest.size() > word.size() && word_character(rest[word.size()])) return false;
    at_ += word.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!failed_ && !take(token)) fail("\"" + std::string(token) + "\"");
  }

  int add(Kind kind, int left = -1, int right = -1) {
    if (failed_) return 0;
    if (nodes_.size() >= kMaxExpressionNodes) return fail("a shorter condition");
    nodes_.push_back({kind, 0, left, right});
    return static_cast<int>(nodes_.size()) - 1;
  }
  int add_number(double value) {
    const int node = add(Kind::kNumber);
    if (!failed_) nodes_[node].number = value;
    return node;
  }
  int fail(std::string expectation) {
    if (failed_) return 0;
    failed_ = true;
    const std::string_view rest = text_.substr(at_, 20);
    error_ = {ErrorCode::kInvalid, "condition at character " + std::to_string(at_ + 1) + " (" +
                                       (rest.empty() ? "its end" : "\"" + std::string(rest) + "\"") +
                                       "): expected " + std::move(expectation)};
    return 0;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool failed_ = false;
  Error error_;
  std::vector<Expression::Node> nodes_;
};

}  // namespace

Result<Expression> Expression::parse(std::string_view text) {
  auto nodes = Parser(text).run();
  if (!nodes) return nodes.error();
  return Expression(std::make_shared<const std::vector<Node>>(std::move(*nodes)));
}

}  // namespace tidegate::metrics
