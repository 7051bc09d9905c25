// SPDX-License-Identifier: Apache-2.0
#include "apiserver/cel/text_format.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "apiserver/cel/functions.h"

namespace tidegate::apiserver::cel {
namespace {

constexpr int kMaxPrecision = 100;

// What string() says; lists and maps as they are written.
Value shown(const Value& value, Budget& budget, int depth) {
  if (depth > kMaxDepth) return Value::failure("too deep");
  if (value.kind() == kNull) return std::string("null");
  if (value.kind() == kTypeName) return value.as<TypeName>().name;
  if (value.kind() != kList && value.kind() != kMap) {
    const List arguments = {value};
    for (const Overload* one : overloads("string", false)) {
      if (takes(*one, arguments)) return one->row.apply(arguments, budget);
    }
    return Value::failure("no such overload");
  }
  const bool map = value.kind() == kMap;
  std::string out(1, map ? '{' : '[');
  for (const Value& one : elements(value, budget)) {
    Value part = shown(one, budget, depth + 1);
    if (part.failed()) return part;
    out += (out.size() > 1 ? ", " : "") + part.as<std::string>();
    if (!map) continue;
    part = shown(lookup(value, one, budget).value_or(Value()), budget, depth + 1);
    if (part.failed()) return part;
    out += ": " + part.as<std::string>();
  }
  return out + (map ? "}" : "]");
}

std::string in_base(std::uint64_t number, int base, bool negative) {
  char buffer[72];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), number, base).ptr;
  return (negative ? "-" : "") + std::string(buffer, end);
}

std::optional<std::string> whole(const Value& value, int base) {
  if (const auto* number = value.if_a<std::uint64_t>()) return in_base(*number, base, false);
  if (const auto* truth = value.if_a<bool>(); truth && base == 2) return *truth ? "1" : "0";
  const auto* number = value.if_a<std::int64_t>();
  if (!number) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(*number);
  return in_base(*number < 0 ? 0 - size : size, base, *number < 0);
}

std::optional<std::string> hex(const Value& value) {
  const auto* text = value.if_a<std::string>();
  const auto* bytes = value.if_a<Bytes>();
  if (!text && !bytes) return whole(value, 16);
  std::string out;
  for (const unsigned char c : text ? *text : bytes->bytes) {
    out += "0123456789abcdef"[c >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

std::optional<std::string> real(const Value& value, int precision, bool scientific) {
  double number = 0;
  if (const auto* one = value.if_a<double>()) {
    number = *one;
  } else if (const auto* one = value.if_a<std::int64_t>()) {
    number = static_cast<double>(*one);
  } else if (const auto* one = value.if_a<std::uint64_t>()) {
    number = static_cast<double>(*one);
  } else {
    return std::nullopt;
  }
  char buffer[512];
  const int size = std::snprintf(buffer, sizeof buffer, scientific ? "%.*e" : "%.*f", precision, number);
  return std::string(buffer, static_cast<std::size_t>(size));
}

std::optional<std::string> clause(char letter, int precision, const Value& value, Budget& budget) {
  switch (letter) {
    case 's': {
      Value text = shown(value, budget, 0);
      return text.failed() ? std::nullopt : std::optional(text.as<std::string>());
    }
    case 'd':
      return value.kind() == kDouble ? real(value, 0, false) : whole(value, 10);
    case 'f':
    case 'e':
      return real(value, precision, letter == 'e');
    case 'o':
      return whole(value, 8);
    case 'b':
      return whole(value, 2);
    case 'x':
      return hex(value);
    case 'X': {
      auto text = hex(value);
      if (text)
        std::transform(text->begin(), text->end(), text->begin(),
                       [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; });
      return text;
    }
    default:  // no clause of this letter
      return std::nullopt;
  }
}

// ".12" in front of a clause's letter; 6 where there is none, -1 where it is too large.
int take_precision(const std::string& format, std::size_t& at) {
  if (format[at] != '.') return 6;
  int precision = 0;
  while (++at < format.size() && format[at] >= '0' && format[at] <= '9') {
    precision = precision * 10 + (format[at] - '0');
    if (precision > kMaxPrecision) return -1;
  }
  return precision;
}

}  // namespace

Value formatted(const std::string& format, const Value& arguments, Budget& budget) {
  const List given = elements(arguments, budget);
  std::string out;
  std::size_t used = 0;
  for (std::size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%' || (at + 1 < format.size() && format[at + 1] == '%')) {
      out += format[at];
      at += format[at] == '%' ? 1 : 0;
      continue;
    }
    if (++at == format.size()) return Value::failure("unexpected end of format string");
    const int precision = take_precision(format, at);
    if (at >= format.size() || precision < 0)
      return Value::failure("could not parse formatting clause: invalid precision");
    if (used == given.size()) return Value::failure("index " + std::to_string(used) + " out of range");
    const auto text = clause(format[at], precision, given[used++], budget);
    if (!text) return Value::failure(std::string("could not format an argument as %") + format[at]);
    out += *text;
    if (!budget.spend_bytes(text->size())) return Value::failure("too long");
  }
  budget.spend_bytes(format.size());
  return out;
}

std::string quoted(const std::string& text) {
  constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\\\"", kLetters = "abfnrtv\\\"";
  std::string out = "\"";
  for (const char c : text) {
    const auto found = kEscaped.find(c);
    out += found == std::string_view::npos ? std::string(1, c) : std::string{'\\', kLetters[found]};
  }
  return out + "\"";
}

}  // namespace tidegate::apiserver::cel
