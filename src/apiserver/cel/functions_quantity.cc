// SPDX-License-Identifier: Apache-2.0
// quantity("1.5Gi") of Kubernetes. Kept in billionths; more digits behind the point than that are rounded up,
// as Kubernetes does. What is beyond 10^19 is an error here.
#include "apiserver/cel/functions.h"

namespace tidegate::apiserver::cel {
namespace {

constexpr __int128 kOne = 1'000'000'000;
constexpr __int128 kLargest = kOne * 10'000'000'000'000'000'000ULL;

struct Suffix {
  std::string_view name;
  __int128 nanos;
};
constexpr Suffix kSuffixes[] = {
    {"n", 1},
    {"u", 1000},
    {"m", 1'000'000},
    {"", kOne},
    {"k", kOne * 1000},
    {"M", kOne * 1'000'000},
    {"G", kOne * 1'000'000'000},
    {"T", kOne * 1'000'000'000'000},
    {"P", kOne * 1'000'000'000'000'000},
    {"E", kOne * 1'000'000'000'000'000'000},
    {"Ki", kOne << 10},
    {"Mi", kOne << 20},
    {"Gi", kOne << 30},
    {"Ti", kOne << 40},
    {"Pi", kOne << 50},
    {"Ei", kOne << 60},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "e3", "E-2": powers of ten from 10^-9 to 10^18; nullopt where it is none.
std::optional<__int128> exponent_of(std::string_view text) {
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int power = 0;
  if (text.empty() || text.size() > 2) return std::nullopt;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    power = power * 10 + (c - '0');
  }
  if (power > (negative ? 9 : 18)) return std::nullopt;
  __int128 scale = kOne;
  for (int i = 0; i < power; ++i) scale = negative ? scale / 10 : scale * 10;
  return scale;
}

std::optional<__int128> scale_of(std::string_view suffix) {
  for (const Suffix& one : kSuffixes) {
    if (one.name == suffix) return one.nanos;
  }
  return exponent_of(suffix);
}

std::optional<Quantity> parsed(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto end = text.find_first_not_of("0123456789.");
  const auto number = text.substr(0, end);
  const auto scale = scale_of(end == std::string_view::npos ? "" : text.substr(end));
  if (!scale || number.empty() || number == "." || number.find('.') != number.rfind('.')) return std::nullopt;
  __int128 total = 0, digit = *scale;
  bool fraction = false, rounded = false;
  for (const char c : number) {
    if (c == '.') {
      fraction = true;
    } else if (!fraction) {
      total = total * 10 + *scale * (c - '0');
      if (total > kLargest) return std::nullopt;
    } else {
      const __int128 exact = digit * (c - '0');
      total += exact / 10;
      rounded = rounded || exact % 10 != 0;
      digit = digit % 10 == 0 ? digit / 10 : 0;
      rounded = rounded || (digit == 0 && c != '0');
    }
  }
  if (rounded) ++total;
  return Quantity{negative ? -total : total};
}

__int128 nanos(Arguments given, std::size_t i) { return given[i].as<Quantity>().nanos; }

Value result(__int128 total) {
  if (total > kLargest || total < -kLargest) return Value::failure("quantity out of range");
  return Quantity{total};
}

Value make(Arguments given, Budget&) {
  const auto& text = given[0].as<std::string>();
  const auto quantity = parsed(text);
  return quantity ? Value(*quantity)
                  : Value::failure(
                        "quantities must match the regular expression "
                        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

bool fits_int(__int128 total) {
  return total % kOne == 0 && total / kOne <= INT64_MAX && total / kOne >= INT64_MIN;
}

Value as_integer(Arguments given, Budget&) {
  const auto total = nanos(given, 0);
  return fits_int(total) ? Value(static_cast<std::int64_t>(total / kOne))
                         : Value::failure("cannot convert value to integer");
}

template <int sign>
Value combined(Arguments given, Budget&) {
  return result(nanos(given, 0) + sign * nanos(given, 1));
}
template <int sign>
Value combined_int(Arguments given, Budget&) {
  return result(nanos(given, 0) + sign * kOne * given[1].as<std::int64_t>());
}

std::int64_t order(__int128 a, __int128 b) { return a < b ? -1 : a > b ? 1 : 0; }

constexpr Row kRows[] = {
    {"quantity", "g", "s>Q", make},
    {"isQuantity", "g", "s>b",
     [](Arguments given, Budget&) -> Value { return parsed(given[0].as<std::string>()).has_value(); }},
    {"sign", "m", "Q>i", [](Arguments given, Budget&) -> Value { return order(nanos(given, 0), 0); }},
    {"add", "m", "QQ>Q", combined<1>},
    {"add", "m", "Qi>Q", combined_int<1>},
    {"sub", "m", "QQ>Q", combined<-1>},
    {"sub", "m", "Qi>Q", combined_int<-1>},
    {"isInteger", "m", "Q>b", [](Arguments given, Budget&) -> Value { return fits_int(nanos(given, 0)); }},
    {"asInteger", "m", "Q>i", as_integer},
    {"asApproximateFloat", "m", "Q>d",
     [](Arguments given, Budget&) -> Value { return static_cast<double>(nanos(given, 0)) / 1e9; }},
    {"compareTo", "m", "QQ>i",
     [](Arguments given, Budget&) -> Value { return order(nanos(given, 0), nanos(given, 1)); }},
    {"isLessThan", "m", "QQ>b",
     [](Arguments given, Budget&) -> Value { return nanos(given, 0) < nanos(given, 1); }},
    {"isGreaterThan", "m", "QQ>b",
     [](Arguments given, Budget&) -> Value { return nanos(given, 0) > nanos(given, 1); }},
};

}  // namespace

std::span<const Row> quantity_rows() { return kRows; }

}  // namespace tidegate::apiserver::cel
