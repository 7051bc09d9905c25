// SPDX-License-Identifier: Apache-2.0
// int(), uint(), double(), string(), bytes(), bool(), duration(), timestamp(), dyn() and type().
#include <charconv>
#include <cmath>

#include "apiserver/cel/functions.h"
#include "apiserver/cel/times.h"
#include "apiserver/cel/unicode.h"
#include "base/text.h"

namespace tidegate::apiserver::cel {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

Value same(Arguments given, Budget&) { return given[0]; }

Value range_error(std::string_view type) { return Value::failure("range error: no " + std::string(type)); }

template <typename T>
Value parsed(Arguments given, Budget&) {
  const auto& text = given[0].as<std::string>();
  T number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size())
    return Value::failure("type conversion error: not a number: '" + text.substr(0, 64) + "'");
  return number;
}

Value int_of_uint(Arguments given, Budget&) {
  const auto number = given[0].as<std::uint64_t>();
  return number >> 63 ? range_error("int") : Value(static_cast<std::int64_t>(number));
}
Value int_of_double(Arguments given, Budget&) {
  const double number = given[0].as<double>();
  return number > -kTwoTo63 && number < kTwoTo63 ? Value(static_cast<std::int64_t>(number))
                                                 : range_error("int");
}
Value int_of_time(Arguments given, Budget&) {
  return std::int64_t{
      std::chrono::floor<std::chrono::seconds>(given[0].as<TimePoint>()).time_since_epoch().count()};
}
Value uint_of_int(Arguments given, Budget&) {
  const auto number = given[0].as<std::int64_t>();
  return number < 0 ? range_error("uint") : Value(static_cast<std::uint64_t>(number));
}
Value uint_of_double(Arguments given, Budget&) {
  const double number = given[0].as<double>();
  return number > -1 && number < 2 * kTwoTo63 ? Value(static_cast<std::uint64_t>(number))
                                              : range_error("uint");
}
Value double_of_text(Arguments given, Budget&) {
  const auto& text = given[0].as<std::string>();
  const auto number = text::parse_double(text);
  return number ? Value(*number)
                : Value::failure("type conversion error: not a double: '" + text.substr(0, 64) + "'");
}

template <typename T>
Value printed(Arguments given, Budget&) {
  char buffer[64];
  const auto [end, problem] = std::to_chars(std::begin(buffer), std::end(buffer), given[0].as<T>());
  return problem == std::errc() ? Value(std::string(buffer, end)) : Value::failure("cannot be printed");
}
Value text_of_bytes(Arguments given, Budget& budget) {
  const auto& bytes = given[0].as<Bytes>().bytes;
  budget.spend_bytes(bytes.size());
  return is_utf8(bytes) ? Value(bytes) : Value::failure("invalid UTF-8 in bytes, cannot convert to string");
}
Value text_of_time(Arguments given, Budget&) {
  const TimePoint time = given[0].as<TimePoint>();
  if (time.time_since_epoch() % std::chrono::seconds(1) == Duration(0)) return text::format_time(time);
  std::string out = text::format_micro_time(time);  // 2026-01-02T03:04:05.678000Z
  out.pop_back();
  while (out.back() == '0') out.pop_back();
  return out + "Z";
}

Value bool_of_text(Arguments given, Budget&) {
  const auto& text = given[0].as<std::string>();
  for (const auto word : {"true", "True", "TRUE", "t", "1"}) {
    if (text == word) return true;
  }
  for (const auto word : {"false", "False", "FALSE", "f", "0"}) {
    if (text == word) return false;
  }
  return Value::failure("type conversion error from 'string' to 'bool'");
}

Value duration_of_text(Arguments given, Budget&) {
  const auto& text = given[0].as<std::string>();
  const auto nanos = parse_nanos(text);
  return nanos ? Value(Nanos{*nanos}) : Value::failure("invalid duration: '" + text.substr(0, 64) + "'");
}
Value time_of_text(Arguments given, Budget&) {
  const auto& text = given[0].as<std::string>();
  const auto time = text::parse_time(text);
  return time ? Value(*time) : Value::failure("invalid timestamp: '" + text.substr(0, 64) + "'");
}
Value time_of_int(Arguments given, Budget&) {
  const auto seconds = given[0].as<std::int64_t>();
  if (seconds < -62'135'596'800 || seconds > 253'402'300'799) return range_error("timestamp");
  return TimePoint(std::chrono::seconds(seconds));
}

constexpr Row kRows[] = {
    {"int", "g", "i>i", same},
    {"int", "g", "u>i", int_of_uint},
    {"int", "g", "d>i", int_of_double},
    {"int", "g", "s>i", parsed<std::int64_t>},
    {"int", "g", "T>i", int_of_time},
    {"uint", "g", "u>u", same},
    {"uint", "g", "i>u", uint_of_int},
    {"uint", "g", "d>u", uint_of_double},
    {"uint", "g", "s>u", parsed<std::uint64_t>},
    {"double", "g", "d>d", same},
    {"double", "g", "i>d",
     [](Arguments given, Budget&) -> Value { return static_cast<double>(given[0].as<std::int64_t>()); }},
    {"double", "g", "u>d",
     [](Arguments given, Budget&) -> Value { return static_cast<double>(given[0].as<std::uint64_t>()); }},
    {"double", "g", "s>d", double_of_text},
    {"string", "g", "s>s", same},
    {"string", "g", "i>s", printed<std::int64_t>},
    {"string", "g", "u>s", printed<std::uint64_t>},
    {"string", "g", "d>s", printed<double>},
    {"string", "g", "b>s",
     [](Arguments given, Budget&) -> Value { return std::string(given[0].as<bool>() ? "true" : "false"); }},
    {"string", "g", "y>s", text_of_bytes},
    {"string", "g", "T>s", text_of_time},
    {"string", "g", "D>s",
     [](Arguments given, Budget&) -> Value { return format_nanos(given[0].as<Nanos>().count); }},
    {"bytes", "g", "y>y", same},
    {"bytes", "g", "s>y",
     [](Arguments given, Budget&) -> Value { return Bytes{given[0].as<std::string>()}; }},
    {"bool", "g", "b>b", same},
    {"bool", "g", "s>b", bool_of_text},
    {"duration", "g", "D>D", same},
    {"duration", "g", "s>D", duration_of_text},
    {"timestamp", "g", "T>T", same},
    {"timestamp", "g", "s>T", time_of_text},
    {"timestamp", "g", "i>T", time_of_int},
    {"dyn", "g", "A>*", same},
    {"type", "g", "A>t",
     [](Arguments given, Budget&) -> Value { return TypeName{std::string(kind_name(given[0].kind()))}; }},
};

}  // namespace

std::span<const Row> conversion_rows() { return kRows; }

}  // namespace tidegate::apiserver::cel
