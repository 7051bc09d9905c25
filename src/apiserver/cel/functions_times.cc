// SPDX-License-Identifier: Apache-2.0
// Parts of timestamps and durations. Timestamps are read in UTC, or at a fixed offset: "+01:00". Names of
// time zones would need a database, and are an error.
#include <chrono>

#include "apiserver/cel/functions.h"
#include "base/text.h"

namespace tidegate::apiserver::cel {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::sys_days;

std::optional<Duration> offset_of(const std::string& zone) {
  if (zone.empty() || zone == "UTC" || zone == "Z") return Duration(0);
  const bool negative = zone.starts_with('-');
  const auto digits = std::string_view(zone).substr(negative || zone.starts_with('+') ? 1 : 0);
  if (digits.size() != 5 || digits[2] != ':') return std::nullopt;
  const auto hours = text::parse_int(digits.substr(0, 2)), minutes = text::parse_int(digits.substr(3));
  if (!hours || !minutes || *hours < 0 || *hours > 23 || *minutes < 0 || *minutes > 59) return std::nullopt;
  const Duration offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return negative ? -offset : offset;
}

enum class Part {
  kYear,
  kMonth,
  kDate,
  kDayOfMonth,
  kDayOfWeek,
  kDayOfYear,
  kHours,
  kMinutes,
  kSeconds,
  kMillis
};

std::int64_t part_of(TimePoint time, Part part) {
  const auto day = floor<days>(time);
  const std::chrono::year_month_day date(day);
  const auto in_day = (time - day).count();
  switch (part) {
    case Part::kYear:
      return static_cast<int>(date.year());
    case Part::kMonth:
      return static_cast<unsigned>(date.month()) - std::int64_t{1};
    case Part::kDate:
      return static_cast<unsigned>(date.day());
    case Part::kDayOfMonth:
      return static_cast<unsigned>(date.day()) - std::int64_t{1};
    case Part::kDayOfWeek:
      return std::chrono::weekday(day).c_encoding();
    case Part::kDayOfYear:
      return (day - sys_days(date.year() / 1 / 1)).count();
    case Part::kHours:
      return in_day / 3'600'000;
    case Part::kMinutes:
      return in_day / 60'000 % 60;
    case Part::kSeconds:
      return in_day / 1000 % 60;
    case Part::kMillis:
      return in_day % 1000;
  }
  return 0;
}

template <Part part>
Value of_time(Arguments given, Budget&) {
  const auto offset = offset_of(given.size() == 2 ? given[1].as<std::string>() : "");
  if (!offset) return Value::failure("unknown time zone " + given[1].as<std::string>().substr(0, 64));
  return part_of(given[0].as<TimePoint>() + *offset, part);
}

template <std::int64_t unit, std::int64_t modulus>
Value of_duration(Arguments given, Budget&) {
  const std::int64_t count = given[0].as<Nanos>().count / unit;
  if constexpr (modulus != 0) return count % modulus;
  return count;
}

constexpr Row kRows[] = {
    {"getFullYear", "m", "T>i", of_time<Part::kYear>},
    {"getFullYear", "m", "Ts>i", of_time<Part::kYear>},
    {"getMonth", "m", "T>i", of_time<Part::kMonth>},
    {"getMonth", "m", "Ts>i", of_time<Part::kMonth>},
    {"getDate", "m", "T>i", of_time<Part::kDate>},
    {"getDate", "m", "Ts>i", of_time<Part::kDate>},
    {"getDayOfMonth", "m", "T>i", of_time<Part::kDayOfMonth>},
    {"getDayOfMonth", "m", "Ts>i", of_time<Part::kDayOfMonth>},
    {"getDayOfWeek", "m", "T>i", of_time<Part::kDayOfWeek>},
    {"getDayOfWeek", "m", "Ts>i", of_time<Part::kDayOfWeek>},
    {"getDayOfYear", "m", "T>i", of_time<Part::kDayOfYear>},
    {"getDayOfYear", "m", "Ts>i", of_time<Part::kDayOfYear>},
    {"getHours", "m", "T>i", of_time<Part::kHours>},
    {"getHours", "m", "Ts>i", of_time<Part::kHours>},
    {"getHours", "m", "D>i", of_duration<3'600'000'000'000, 0>},
    {"getMinutes", "m", "T>i", of_time<Part::kMinutes>},
    {"getMinutes", "m", "Ts>i", of_time<Part::kMinutes>},
    {"getMinutes", "m", "D>i", of_duration<60'000'000'000, 0>},
    {"getSeconds", "m", "T>i", of_time<Part::kSeconds>},
    {"getSeconds", "m", "Ts>i", of_time<Part::kSeconds>},
    {"getSeconds", "m", "D>i", of_duration<1'000'000'000, 0>},
    {"getMilliseconds", "m", "T>i", of_time<Part::kMillis>},
    {"getMilliseconds", "m", "Ts>i", of_time<Part::kMillis>},
    {"getMilliseconds", "m", "D>i", of_duration<1'000'000, 1000>},
};

}  // namespace

std::span<const Row> time_rows() { return kRows; }

}  // namespace tidegate::apiserver::cel
