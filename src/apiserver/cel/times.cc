// SPDX-License-Identifier: Apache-2.0
#include "apiserver/cel/times.h"

#include <algorithm>

namespace tidegate::apiserver::cel {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct Unit {
  std::string_view name;
  std::int64_t nanos;
};
constexpr Unit kUnits[] = {
    {"h", 3600 * kSecond}, {"ms", 1'000'000}, {"m", 60 * kSecond}, {"s", kSecond}, {"us", 1000},
    {"\xC2\xB5s", 1000},   {"ns", 1}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes digits off the front; false where there are more than fit.
bool take_digits(std::string_view& text, std::int64_t& number) {
  while (!text.empty() && is_digit(text.front())) {
    if (__builtin_mul_overflow(number, 10, &number) ||
        __builtin_add_overflow(number, text.front() - '0', &number))
      return false;
    text.remove_prefix(1);
  }
  return true;
}

const Unit* take_unit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

}  // namespace

std::optional<std::int64_t> parse_nanos(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    std::int64_t whole = 0;
    const auto before = text.size();
    if (!take_digits(text, whole)) return std::nullopt;
    bool digits = text.size() != before;
    std::string_view fraction;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
      fraction = text.substr(0, static_cast<std::size_t>(end - text.begin()));
      text.remove_prefix(fraction.size());
      digits = digits || !fraction.empty();
    }
    const Unit* unit = digits ? take_unit(text) : nullptr;
    std::int64_t part = 0;
    if (!unit || __builtin_mul_overflow(whole, unit->nanos, &part)) return std::nullopt;
    std::int64_t scale = unit->nanos;
    for (const char digit : fraction) {
      scale /= 10;
      if (__builtin_add_overflow(part, scale * (digit - '0'), &part)) return std::nullopt;
    }
    if (__builtin_add_overflow(total, part, &total)) return std::nullopt;
  }
  return negative ? -total : total;
}

std::string format_nanos(std::int64_t nanos) {
  // The smallest number has no positive twin, so parts are made positive one by one.
  const std::int64_t seconds = nanos / kSecond;
  std::string fraction = std::to_string(nanos % kSecond < 0 ? -(nanos % kSecond) : nanos % kSecond);
  fraction.insert(0, 9 - fraction.size(), '0');
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  const bool bare_sign = nanos < 0 && seconds == 0;
  return (bare_sign ? "-0" : std::to_string(seconds)) + (fraction.empty() ? "" : "." + fraction) + "s";
}

}  // namespace tidegate::apiserver::cel
