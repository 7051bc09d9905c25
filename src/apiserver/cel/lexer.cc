// SPDX-License-Identifier: Apache-2.0
#include "apiserver/cel/lexer.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "apiserver/cel/unicode.h"
#include "base/text.h"

namespace tidegate::apiserver::cel {
namespace {

constexpr std::string_view kSymbols[] = {"&&", "||", "==", "!=", "<=", ">=", ".", ",", "(", ")", "[", "]",
                                         "{",  "}",  "?",  ":",  "<",  ">",  "+", "-", "*", "/", "%", "!"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_name(char c) { return starts_name(c) || is_digit(c); }

struct Prefix {
  bool raw = false, bytes = false;
  std::size_t length = 0;
};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Result<std::vector<Token>> run() {
    std::vector<Token> tokens;
    while (true) {
      skip_blanks();
      Token token;
      token.offset = at_;
      if (at_ == source_.size()) {
        tokens.push_back(std::move(token));
        return tokens;
      }
      if (auto read = next(token); !read) return read.error();
      tokens.push_back(std::move(token));
    }
  }

 private:
  std::string_view rest() const { return source_.substr(at_); }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  Error wrong(const std::string& what) const { return error_at(source_, at_, what); }

  void skip_blanks() {
    while (at_ < source_.size()) {
      if (rest().starts_with("//")) {
        at_ = std::min(source_.find('\n', at_), source_.size());
      } else if (std::strchr(" \t\r\n\f", source_[at_])) {
        ++at_;
      } else {
        return;
      }
    }
  }

  Result<void> next(Token& token) {
    if (const auto prefix = string_prefix()) return string(token, *prefix);
    if (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) return number(token);
    if (starts_name(peek())) {
      name(token);
      return {};
    }
    for (const auto symbol : kSymbols) {
      if (!rest().starts_with(symbol)) continue;
      token.kind = Token::Kind::kSymbol;
      token.text = symbol;
      at_ += symbol.size();
      return {};
    }
    return wrong("Syntax error: token recognition error at: '" + std::string(rest().substr(0, 1)) + "'");
  }

  void name(Token& token) {
    const auto begin = at_;
    while (in_name(peek())) ++at_;
    token.text = source_.substr(begin, at_ - begin);
    token.kind = Token::Kind::kLiteral;
    if (token.text == "true" || token.text == "false") {
      token.value = token.text == "true";
    } else if (token.text != "null") {
      token.kind = Token::Kind::kName;
    }
  }

  Result<void> number(Token& token) {
    const auto begin = at_;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) {
      at_ += 2;
      while (is_hex(peek())) ++at_;
    } else {
      while (is_digit(peek())) ++at_;
      if (peek() == '.' && is_digit(peek(1))) {
        ++at_;
        while (is_digit(peek())) ++at_;
      }
      const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
      if ((peek() == 'e' || peek() == 'E') && is_digit(peek(sign))) {
        at_ += sign;
        while (is_digit(peek())) ++at_;
      }
    }
    if (peek() == 'u' || peek() == 'U') ++at_;
    token.kind = Token::Kind::kLiteral;
    token.text = source_.substr(begin, at_ - begin);
    // The least integer has no positive twin: the parser reads it together with its sign.
    if (token.text == "9223372036854775808") return {};
    auto value = number_of(token.text);
    if (!value) return error_at(source_, begin, "invalid number literal: " + token.text);
    token.value = std::move(*value);
    return {};
  }

  // r"...", b'...', rb"""...""": where a string begins here.
  std::optional<Prefix> string_prefix() const {
    Prefix prefix;
    for (; prefix.length < 3; ++prefix.length) {
      const char c = peek(prefix.length);
      if (c == '"' || c == '\'') return prefix;
      if ((c == 'r' || c == 'R') && !prefix.raw) {
        prefix.raw = true;
      } else if ((c == 'b' || c == 'B') && !prefix.bytes) {
        prefix.bytes = true;
      } else {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  Result<void> string(Token& token, const Prefix& prefix) {
    at_ += prefix.length;
    const std::string three(3, peek());
    const std::string quote = rest().starts_with(three) ? three : three.substr(0, 1);
    at_ += quote.size();
    std::string out;
    while (!rest().starts_with(quote)) {
      if (at_ == source_.size() || (quote.size() == 1 && (peek() == '\n' || peek() == '\r')))
        return error_at(source_, token.offset, "Syntax error: a string is not closed");
      if (peek() != '\\' || prefix.raw) {
        out += source_[at_++];
      } else if (auto read = escape(out, prefix.bytes); !read) {
        return read.error();
      }
    }
    at_ += quote.size();
    token.kind = Token::Kind::kLiteral;
    token.value = prefix.bytes ? Value(Bytes{std::move(out)}) : Value(std::move(out));
    return {};
  }

  Result<void> escape(std::string& out, bool bytes) {
    static constexpr std::string_view kLetters = "abfnrtv\\?\"'`", kMeant = "\a\b\f\n\r\t\v\\?\"'`";
    const char c = peek(1);
    if (const auto found = kLetters.find(c); c != '\0' && found != std::string_view::npos) {
      out += kMeant[found];
      at_ += 2;
      return {};
    }
    const bool octal = c >= '0' && c <= '3';
    const int digits = octal || c == 'x' || c == 'X' ? (octal ? 3 : 2) : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    const auto text =
        source_.substr(std::min(at_ + (octal ? 1 : 2), source_.size()), static_cast<std::size_t>(digits));
    std::uint32_t code = 0;
    const auto end = text.data() + text.size();
    const bool whole = std::from_chars(text.data(), end, code, octal ? 8 : 16).ptr == end;
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (digits == 0 || text.size() != static_cast<std::size_t>(digits) || !whole || code > 0x10FFFF ||
        surrogate || (bytes && digits > 3))
      return wrong("Syntax error: invalid escape in a string");
    at_ += text.size() + (octal ? 1 : 2);
    if (bytes) {
      out += static_cast<char>(code);
    } else {
      append_utf8(out, code);
    }
    return {};
  }

  std::string_view source_;
  std::size_t at_ = 0;
};

}  // namespace

Error error_at(std::string_view source, std::size_t offset, const std::string& what) {
  const auto before = source.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto last = before.rfind('\n');
  const auto column = code_points(before.substr(last == std::string_view::npos ? 0 : last + 1)) + 1;
  return {ErrorCode::kInvalid,
          "ERROR: <input>:" + std::to_string(line) + ":" + std::to_string(column) + ": " + what};
}

Result<std::vector<Token>> tokens_of(std::string_view source) { return Lexer(source).run(); }

std::optional<Value> number_of(std::string_view text) {
  const bool is_unsigned = text.ends_with('u') || text.ends_with('U');
  if (is_unsigned) text.remove_suffix(1);
  const bool negative = text.starts_with('-');
  std::string_view digits = text.substr(negative ? 1 : 0);
  const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
  if (hex) digits.remove_prefix(2);
  if (!hex && digits.find_first_of(".eE") != std::string_view::npos) {
    const auto number = text::parse_double(text);
    return number && !is_unsigned ? std::optional<Value>(*number) : std::nullopt;
  }
  std::uint64_t number = 0;
  const auto [end, problem] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
  if (problem != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (is_unsigned) return negative ? std::nullopt : std::optional<Value>(number);
  constexpr std::uint64_t kLargest = 0x7fffffffffffffffU;
  if (number > kLargest + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<std::int64_t>(negative ? 0 - number : number);
}

}  // namespace tidegate::apiserver::cel
