// SPDX-License-Identifier: Apache-2.0
// Durations and times of base/text.h.
#include <array>
#include <cstdio>
#include <limits>

#include "base/text.h"

namespace tidegate::text {
namespace {

using Nanoseconds = __int128;  // a part times its unit can't overflow it before the check below
constexpr Nanoseconds kMaxNanoseconds = std::numeric_limits<std::int64_t>::max();  // Go's range, 292 years

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
// Longer names first where one begins another.
constexpr std::array kUnits = {Unit{"ns", 1},
                               Unit{"us", 1'000},
                               Unit{"\xC2\xB5s", 1'000},  // micro sign
                               Unit{"\xCE\xBCs", 1'000},  // Greek mu
                               Unit{"ms", 1'000'000},
                               Unit{"s", 1'000'000'000},
                               Unit{"m", 60'000'000'000},
                               Unit{"h", 3'600'000'000'000}};

const Unit* leading_unit(std::string_view text) {
  for (const auto& unit : kUnits) {
    if (text.starts_with(unit.name)) return &unit;
  }
  return nullptr;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const auto digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

struct Number {
  std::string_view whole, fraction;
};

// whole.fraction units; digits of the fraction past the 18th are below any unit's nanosecond.
std::optional<Nanoseconds> scale(Number number, std::int64_t unit) {
  if (number.whole.size() > 19) return std::nullopt;
  Nanoseconds total = 0;
  for (const char c : number.whole) total = total * 10 + (c - '0');
  total *= unit;
  Nanoseconds part = 0, power = 1;
  for (const char c : number.fraction.substr(0, 18)) {
    part = part * 10 + (c - '0');
    power *= 10;
  }
  total += part * unit / power;
  if (total > kMaxNanoseconds) return std::nullopt;
  return total;
}

Error bad_duration(std::string_view text, std::string_view why) {
  return Error{ErrorCode::kInvalid, "duration \"" + std::string(text) + "\" " + std::string(why) +
                                        ", expected a form such as \"30s\", \"1.5h\" or \"2m30s\""};
}

Duration to_milliseconds(Nanoseconds value) { return Duration(static_cast<std::int64_t>(value / 1'000'000)); }

std::optional<Duration> bare_seconds(std::string_view text) {
  auto rest = text;
  const auto digits = take_digits(rest);
  if (digits.empty() || !rest.empty()) return std::nullopt;
  const auto value = scale({digits, {}}, 1'000'000'000);
  if (!value) return std::nullopt;
  return to_milliseconds(*value);
}

std::string_view strip_zeros(std::string_view digits) {
  const auto last = digits.find_last_not_of('0');
  return digits.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string two_units(std::int64_t large, char large_unit, std::int64_t small, char small_unit) {
  std::string out = std::to_string(large) + large_unit;
  if (small != 0) out += std::to_string(small) + small_unit;
  return out;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return bad_duration(text, "is empty");
  if (text.front() == '-') return bad_duration(text, "is negative");
  if (const auto seconds = bare_seconds(text)) return *seconds;
  Nanoseconds total = 0;
  for (auto rest = text; !rest.empty();) {
    Number number;
    number.whole = take_digits(rest);
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      number.fraction = take_digits(rest);
    }
    if (number.whole.empty() && number.fraction.empty()) return bad_duration(text, "is malformed");
    const Unit* unit = leading_unit(rest);
    if (!unit) return bad_duration(text, "has a number without one of the units h, m, s, ms");
    rest.remove_prefix(unit->name.size());
    const auto part = scale(number, unit->nanoseconds);
    if (!part || *part > kMaxNanoseconds - total) return bad_duration(text, "is too long");
    total += *part;
  }
  return to_milliseconds(total);
}

std::string format_duration(Duration duration) {
  if (duration.count() == 0) return "0s";
  if (duration.count() < 0) return "-" + format_duration(-duration);
  const std::int64_t total = duration.count();
  if (total < 1000) return std::to_string(total) + "ms";
  std::string out;
  if (const auto hours = total / 3'600'000; hours > 0) out += std::to_string(hours) + "h";
  if (const auto minutes = total / 60'000 % 60; minutes > 0) out += std::to_string(minutes) + "m";
  const auto seconds = total / 1000 % 60, milliseconds = total % 1000;
  if (seconds == 0 && milliseconds == 0) return out;
  out += std::to_string(seconds);
  if (milliseconds > 0) {
    const std::string digits = std::to_string(1000 + milliseconds).substr(1);
    out += "." + std::string(strip_zeros(digits));
  }
  return out + "s";
}

// The steps are those of k8s.io/apimachinery's duration.HumanDuration, so that our tables age as kubectl's
// do.
std::string format_age(Duration duration) {
  const std::int64_t seconds = duration.count() / 1000;
  if (seconds < 0) return seconds >= -1 ? "0s" : "<invalid>";
  const std::int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24, years = days / 365;
  if (seconds < 120) return std::to_string(seconds) + "s";
  if (minutes < 10) return two_units(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return std::to_string(minutes) + "m";
  if (hours < 8) return two_units(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return std::to_string(hours) + "h";
  if (days < 8) return two_units(days, 'd', hours % 24, 'h');
  if (years < 2) return std::to_string(days) + "d";
  if (years < 8) return two_units(years, 'y', days % 365, 'd');
  return std::to_string(years) + "y";
}

namespace {

struct Civil {
  int year;
  unsigned month, day;
  std::int64_t hour, minute, second, millisecond;
};

Civil to_civil(TimePoint time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::int64_t rest = (time - days).count();
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          rest / 3'600'000,
          rest / 60'000 % 60,
          rest / 1000 % 60,
          rest % 1000};
}

std::string format_civil(const Civil& t, bool micro) {
  char buffer[96];
  const auto hour = static_cast<int>(t.hour), minute = static_cast<int>(t.minute),
             second = static_cast<int>(t.second);
  if (micro) {
    std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", t.year, t.month, t.day, hour,
                  minute, second, static_cast<int>(t.millisecond * 1000));
  } else {
    std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02dZ", t.year, t.month, t.day, hour,
                  minute, second);
  }
  return buffer;
}

// Exactly `count` digits, then `separator` where it is not 0.
std::optional<int> take_number(std::string_view& text, std::size_t count, char separator) {
  const std::size_t need = count + (separator ? 1 : 0);
  if (text.size() < need) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  if (separator && (text[count] | 0x20) != (separator | 0x20))
    return std::nullopt;  // "t" and "z" may be lower case
  text.remove_prefix(need);
  return value;
}

std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  const auto digits = take_digits(text);
  if (digits.empty()) return std::nullopt;
  std::int64_t milliseconds = 0;
  for (std::size_t i = 0; i < 3; ++i)
    milliseconds = milliseconds * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return milliseconds;
}

// "Z" or "+01:30", in minutes; all of what is left.
std::optional<int> take_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2, ':');
  const auto minutes = hours ? take_number(text, 2, 0) : std::nullopt;
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

}  // namespace

std::string format_time(TimePoint time) { return format_civil(to_civil(time), false); }
std::string format_micro_time(TimePoint time) { return format_civil(to_civil(time), true); }

std::optional<TimePoint> parse_time(std::string_view text) {
  const auto year = take_number(text, 4, '-');
  const auto month = year ? take_number(text, 2, '-') : std::nullopt;
  const auto day = month ? take_number(text, 2, 'T') : std::nullopt;
  const auto hour = day ? take_number(text, 2, ':') : std::nullopt;
  const auto minute = hour ? take_number(text, 2, ':') : std::nullopt;
  const auto second = minute ? take_number(text, 2, 0) : std::nullopt;
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;  // 60: a leap second
  const auto millisecond = take_fraction(text);
  const auto offset = millisecond ? take_offset(text) : std::nullopt;
  if (!offset) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return TimePoint(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute - *offset) + std::chrono::seconds(*second) + Duration(*millisecond);
}

}  // namespace tidegate::text
