// SPDX-License-Identifier: Apache-2.0
// Recursive descent, a function for each level of precedence. A syntax error is noted once; after it
// everything returns quickly, with null expressions.
#include "apiserver/cel/parser.h"

#include <algorithm>

#include "apiserver/cel/lexer.h"

namespace tidegate::apiserver::cel {
namespace {

constexpr std::string_view kReserved[] = {"in",      "as",        "break",  "const",  "continue", "else",
                                          "for",     "function",  "if",     "import", "let",      "loop",
                                          "package", "namespace", "return", "var",    "void",     "while"};

using Operators = std::vector<std::pair<std::string_view, std::string_view>>;
const Operators kRelations = {{"==", "_==_"}, {"!=", "_!=_"}, {"<=", "_<=_"}, {">=", "_>=_"},
                              {"<", "_<_"},   {">", "_>_"},   {"in", "_in_"}};
const Operators kSums = {{"+", "_+_"}, {"-", "_-_"}};
const Operators kProducts = {{"*", "_*_"}, {"/", "_/_"}, {"%", "_%_"}};

class Parser {
 public:
  Parser(std::string_view source, std::vector<Token> tokens) : source_(source), tokens_(std::move(tokens)) {}

  Result<ExprPtr> run() {
    ExprPtr expr = expression();
    if (!error_ && now().kind != Token::Kind::kEnd) unexpected();
    if (error_) return *error_;
    return expr;
  }

 private:
  const Token& now() const { return tokens_[at_]; }
  bool sees(std::string_view symbol) const {
    return !error_ && now().kind != Token::Kind::kLiteral && now().kind != Token::Kind::kEnd &&
           now().text == symbol;
  }
  bool takes(std::string_view symbol) {
    if (!sees(symbol)) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view symbol) {
    if (!error_ && !takes(symbol)) unexpected(" expecting '" + std::string(symbol) + "'");
  }
  ExprPtr fail(std::size_t offset, const std::string& what) {
    if (!error_) error_ = error_at(source_, offset, what);
    return nullptr;
  }
  ExprPtr unexpected(const std::string& expecting = "") {
    const Token& token = now();
    const auto end = at_ + 1 < tokens_.size() ? tokens_[at_ + 1].offset : source_.size();
    std::string seen(source_.substr(token.offset, end - token.offset));
    while (!seen.empty() && std::isspace(static_cast<unsigned char>(seen.back()))) seen.pop_back();
    if (token.kind == Token::Kind::kEnd) seen = "<EOF>";
    return fail(token.offset, "Syntax error: mismatched input '" + seen + "'" + expecting);
  }

  template <typename Node>
  ExprPtr make(std::size_t offset, Node node) {
    if (error_) return nullptr;
    if (++nodes_ > kMaxNodes) return too_large(offset);
    auto expr = std::make_unique<Expr>();
    expr->node = std::move(node);
    expr->offset = offset;
    return expr;
  }
  ExprPtr too_large(std::size_t offset) { return fail(offset, "expression is too large or too deep"); }

  ExprPtr call(std::size_t offset, std::string_view name, std::vector<ExprPtr> arguments) {
    Call node{std::string(name), nullptr, std::move(arguments)};
    const auto depth = deepest(node.arguments);
    return with_depth(make(offset, std::move(node)), offset, depth);
  }
  static int deepest(const std::vector<ExprPtr>& list) {
    int depth = 0;
    for (const ExprPtr& one : list) depth = std::max(depth, one ? one->depth : 0);
    return depth;
  }
  ExprPtr with_depth(ExprPtr expr, std::size_t offset, int children) {
    if (!expr) return nullptr;
    expr->depth = children + 1;
    return expr->depth > kMaxDepth ? too_large(offset) : std::move(expr);
  }

  ExprPtr expression() {
    if (error_ || ++nesting_ > kMaxDepth) return too_large(now().offset);
    ExprPtr expr = ternary();
    --nesting_;
    return expr;
  }

  ExprPtr ternary() {
    const auto offset = now().offset;
    ExprPtr condition = logic(true);
    if (!takes("?")) return condition;
    ExprPtr yes = logic(true);
    expect(":");
    ExprPtr no = expression();
    const int depth = std::max({depth_of(condition), depth_of(yes), depth_of(no)});
    return with_depth(make(offset, Choice{std::move(condition), std::move(yes), std::move(no)}), offset,
                      depth);
  }
  static int depth_of(const ExprPtr& expr) { return expr ? expr->depth : 0; }

  ExprPtr logic(bool any) {
    const auto offset = now().offset;
    const std::string_view symbol = any ? "||" : "&&";
    ExprPtr first = any ? logic(false) : binary(kRelations, 0);
    if (!sees(symbol)) return first;
    std::vector<ExprPtr> terms;
    terms.push_back(std::move(first));
    while (takes(symbol)) terms.push_back(any ? logic(false) : binary(kRelations, 0));
    const int depth = deepest(terms);
    return with_depth(make(offset, Logic{any, std::move(terms)}), offset, depth);
  }

  ExprPtr operand(int level) {
    if (level == 0) return binary(kSums, 1);
    return level == 1 ? binary(kProducts, 2) : unary();
  }

  ExprPtr binary(const Operators& operators, int level) {
    ExprPtr left = operand(level);
    while (!error_) {
      const auto found =
          std::find_if(operators.begin(), operators.end(), [&](const auto& one) { return sees(one.first); });
      if (found == operators.end()) break;
      const auto offset = now().offset;
      ++at_;
      std::vector<ExprPtr> arguments;
      arguments.push_back(std::move(left));
      arguments.push_back(operand(level));
      left = call(offset, found->second, std::move(arguments));
    }
    return left;
  }

  ExprPtr unary() {
    const auto offset = now().offset;
    const bool minus = sees("-"), negation = sees("!");
    if (!minus && !negation) return member();
    ++at_;
    const Token& token = now();
    if (minus && token.kind == Token::Kind::kLiteral && !token.text.empty() &&
        std::isdigit(static_cast<unsigned char>(token.text[0]))) {
      auto value = number_of("-" + token.text);
      if (!value) return fail(offset, "invalid number literal: -" + token.text);
      ++at_;
      return member_of(make(offset, Literal{std::move(*value)}));
    }
    if (++nesting_ > kMaxDepth) return too_large(offset);
    std::vector<ExprPtr> arguments;
    arguments.push_back(unary());
    --nesting_;
    return call(offset, minus ? "-_" : "!_", std::move(arguments));
  }

  ExprPtr member() { return member_of(primary()); }

  ExprPtr member_of(ExprPtr expr) {
    while (!error_) {
      const auto offset = now().offset;
      if (takes(".")) {
        const bool optional = takes("?");
        if (now().kind != Token::Kind::kName) return unexpected();
        std::string name = now().text;
        ++at_;
        if (!optional && takes("(")) {
          expr = method(offset, std::move(expr), std::move(name));
        } else {
          const int depth = depth_of(expr);
          expr = with_depth(make(offset, Select{std::move(expr), std::move(name), false, optional}), offset,
                            depth);
        }
      } else if (takes("[")) {
        const bool optional = takes("?");
        std::vector<ExprPtr> arguments;
        arguments.push_back(std::move(expr));
        arguments.push_back(expression());
        expect("]");
        expr = call(offset, optional ? "_[?_]" : "_[_]", std::move(arguments));
      } else {
        return expr;
      }
    }
    return nullptr;
  }

  std::vector<ExprPtr> arguments() {  // behind the opening parenthesis, to the closing one
    std::vector<ExprPtr> out;
    if (takes(")")) return out;
    do out.push_back(expression());
    while (takes(","));
    expect(")");
    return out;
  }

  std::optional<std::string> variable(const ExprPtr& expr) {
    const Name* name = expr ? std::get_if<Name>(&expr->node) : nullptr;
    if (name) return name->name;
    fail(expr ? expr->offset : now().offset, "argument must be a simple name");
    return std::nullopt;
  }

  static std::optional<Comprehension::Macro> macro_of(std::string_view name, std::size_t arguments) {
    using Macro = Comprehension::Macro;
    const bool two = arguments == 2, three = arguments == 3;
    if (name == "all" && (two || three)) return Macro::kAll;
    if (name == "exists" && (two || three)) return Macro::kExists;
    if (name == "exists_one" && two) return Macro::kExistsOne;
    if (name == "existsOne" && three) return Macro::kExistsOne;
    if (name == "map" && (two || three)) return Macro::kMap;
    if (name == "filter" && two) return Macro::kFilter;
    return std::nullopt;
  }

  ExprPtr method(std::size_t offset, ExprPtr target, std::string name) {
    std::vector<ExprPtr> given = arguments();
    if (error_) return nullptr;
    const int depth = std::max(deepest(given), depth_of(target));
    if (const auto macro = macro_of(name, given.size())) {
      Comprehension node{*macro, std::move(target), {}, nullptr, nullptr};
      const bool maps = *macro == Comprehension::Macro::kMap;
      const std::size_t variables = given.size() == 3 && !maps ? 2 : 1;
      for (std::size_t i = 0; i < variables; ++i) {
        auto bound = variable(given[i]);
        if (!bound) return nullptr;
        node.variables.push_back(std::move(*bound));
      }
      if (maps) node.transform = std::move(given.back());
      if (!maps || given.size() == 3) node.filter = std::move(maps ? given[1] : given.back());
      return with_depth(make(offset, std::move(node)), offset, depth);
    }
    if ((name == "optMap" || name == "optFlatMap") && given.size() == 2) {
      auto bound = variable(given[0]);
      if (!bound) return nullptr;
      OptionalMap node{std::move(target), std::move(*bound), std::move(given[1]), name == "optFlatMap"};
      return with_depth(make(offset, std::move(node)), offset, depth);
    }
    Call node{std::move(name), std::move(target), std::move(given)};
    return with_depth(make(offset, std::move(node)), offset, depth);
  }

  ExprPtr primary() {
    const Token& token = now();
    const auto offset = token.offset;
    if (token.kind == Token::Kind::kLiteral) {
      if (token.text == "9223372036854775808") return fail(offset, "invalid number literal: " + token.text);
      ++at_;
      return make(offset, Literal{token.value});
    }
    if (takes("(")) {
      ExprPtr expr = expression();
      expect(")");
      return expr;
    }
    if (takes("[")) return list(offset);
    if (takes("{")) return map(offset);
    takes(".");  // a name of the root: there is no other container
    if (now().kind != Token::Kind::kName) return unexpected();
    return name(offset);
  }

  ExprPtr name(std::size_t offset) {
    std::string name = now().text;
    if (std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved))
      return fail(offset, "reserved identifier: " + name);
    ++at_;
    if (!takes("(")) return make(offset, Name{std::move(name)});
    std::vector<ExprPtr> given = arguments();
    if (name != "has") return call(offset, name, std::move(given));
    Select* select = given.size() == 1 && given[0] ? std::get_if<Select>(&given[0]->node) : nullptr;
    if (!select || select->test || select->optional) return fail(offset, "invalid argument to has() macro");
    select->test = true;
    return std::move(given[0]);
  }

  ExprPtr list(std::size_t offset) {
    ListLiteral node;
    while (!error_ && !sees("]")) {
      node.optional.push_back(takes("?"));
      node.items.push_back(expression());
      if (!takes(",")) break;
    }
    expect("]");
    const int depth = deepest(node.items);
    return with_depth(make(offset, std::move(node)), offset, depth);
  }

  ExprPtr map(std::size_t offset) {
    MapLiteral node;
    while (!error_ && !sees("}")) {
      node.optional.push_back(takes("?"));
      node.keys.push_back(expression());
      expect(":");
      node.values.push_back(expression());
      if (!takes(",")) break;
    }
    expect("}");
    const int depth = std::max(deepest(node.keys), deepest(node.values));
    return with_depth(make(offset, std::move(node)), offset, depth);
  }

  std::string_view source_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0, nodes_ = 0;
  int nesting_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<ExprPtr> parse(std::string_view source) {
  if (source.size() > kMaxSource)
    return Error{ErrorCode::kInvalid,
                 "ERROR: <input>:1:1: expression is longer than " + std::to_string(kMaxSource) + " bytes"};
  auto tokens = tokens_of(source);
  if (!tokens) return tokens.error();
  return Parser(source, std::move(*tokens)).run();
}

}  // namespace tidegate::apiserver::cel
