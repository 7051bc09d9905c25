// SPDX-License-Identifier: Apache-2.0
// Arithmetic and comparison. Integers do not wrap around: what does not fit is an error.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "apiserver/cel/functions.h"

namespace tidegate::apiserver::cel {
namespace {

Value overflow() { return Value::failure("integer overflow"); }

enum class Sum { kAdd, kSubtract, kMultiply };

template <Sum op, typename T>
std::optional<T> checked(T a, T b) {
  T out{};
  bool over = false;
  if constexpr (op == Sum::kAdd) over = __builtin_add_overflow(a, b, &out);
  if constexpr (op == Sum::kSubtract) over = __builtin_sub_overflow(a, b, &out);
  if constexpr (op == Sum::kMultiply) over = __builtin_mul_overflow(a, b, &out);
  return over ? std::nullopt : std::optional(out);
}

template <Sum op, typename T>
Value whole(Arguments given, Budget&) {
  const auto out = checked<op>(given[0].as<T>(), given[1].as<T>());
  return out ? Value(*out) : overflow();
}

template <Sum op>
Value real(Arguments given, Budget&) {
  const double a = given[0].as<double>(), b = given[1].as<double>();
  if constexpr (op == Sum::kAdd) return a + b;
  if constexpr (op == Sum::kSubtract) return a - b;
  return a * b;
}

template <Sum op>
Value durations(Arguments given, Budget&) {
  const auto out = checked<op>(given[0].as<Nanos>().count, given[1].as<Nanos>().count);
  return out ? Value(Nanos{*out}) : Value::failure("duration out of range");
}

template <typename T, bool remainder>
Value divided(Arguments given, Budget&) {
  const T a = given[0].as<T>(), b = given[1].as<T>();
  if (b == 0) return Value::failure(remainder ? "modulus by zero" : "division by zero");
  if constexpr (std::is_signed_v<T>) {
    if (a == std::numeric_limits<T>::min() && b == -1) return overflow();
  }
  return remainder ? a % b : a / b;
}

Value quotient(Arguments given, Budget&) { return given[0].as<double>() / given[1].as<double>(); }

Value negative(Arguments given, Budget&) {
  const auto out = checked<Sum::kSubtract>(std::int64_t{0}, given[0].as<std::int64_t>());
  return out ? Value(*out) : overflow();
}

Value joined(Arguments given, Budget& budget) {
  const auto &a = given[0].as<std::string>(), &b = given[1].as<std::string>();
  return budget.spend_bytes(a.size() + b.size()) ? Value(a + b) : Value::failure("too long");
}

Value joined_bytes(Arguments given, Budget& budget) {
  const auto &a = given[0].as<Bytes>().bytes, &b = given[1].as<Bytes>().bytes;
  return budget.spend_bytes(a.size() + b.size()) ? Value(Bytes{a + b}) : Value::failure("too long");
}

Value joined_lists(Arguments given, Budget& budget) {
  List out = elements(given[0], budget);
  for (Value& one : elements(given[1], budget)) out.push_back(std::move(one));
  return Value::list(std::move(out));
}

// Times are kept to the millisecond; results outside the years 1 to 9999 are errors.
constexpr TimePoint kFirst{std::chrono::milliseconds(-62'135'596'800'000)};
constexpr TimePoint kLast{std::chrono::milliseconds(253'402'300'799'999)};
constexpr std::int64_t kMilli = 1'000'000;

Value moved(TimePoint time, std::int64_t nanos, bool back) {
  const Duration by(nanos / kMilli);
  const TimePoint out = back ? time - by : time + by;
  return out < kFirst || out > kLast ? Value::failure("timestamp out of range") : Value(out);
}

Value later(Arguments given, Budget&) {
  const bool first = given[0].kind() == kTimestamp;
  return moved(given[first ? 0 : 1].as<TimePoint>(), given[first ? 1 : 0].as<Nanos>().count, false);
}

Value earlier(Arguments given, Budget&) {
  return moved(given[0].as<TimePoint>(), given[1].as<Nanos>().count, true);
}

Value between(Arguments given, Budget&) {
  const Duration apart = given[0].as<TimePoint>() - given[1].as<TimePoint>();
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(std::int64_t{apart.count()}, kMilli, &nanos))
    return Value::failure("duration out of range");
  return Nanos{nanos};
}

constexpr Row kRows[] = {
    {"_+_", "g", "ii>i", whole<Sum::kAdd, std::int64_t>},
    {"_+_", "g", "uu>u", whole<Sum::kAdd, std::uint64_t>},
    {"_+_", "g", "dd>d", real<Sum::kAdd>},
    {"_+_", "g", "ss>s", joined},
    {"_+_", "g", "yy>y", joined_bytes},
    {"_+_", "g", "lAlA>lA", joined_lists},
    {"_+_", "g", "DD>D", durations<Sum::kAdd>},
    {"_+_", "g", "TD>T", later},
    {"_+_", "g", "DT>T", later},
    {"_-_", "g", "ii>i", whole<Sum::kSubtract, std::int64_t>},
    {"_-_", "g", "uu>u", whole<Sum::kSubtract, std::uint64_t>},
    {"_-_", "g", "dd>d", real<Sum::kSubtract>},
    {"_-_", "g", "DD>D", durations<Sum::kSubtract>},
    {"_-_", "g", "TD>T", earlier},
    {"_-_", "g", "TT>D", between},
    {"_*_", "g", "ii>i", whole<Sum::kMultiply, std::int64_t>},
    {"_*_", "g", "uu>u", whole<Sum::kMultiply, std::uint64_t>},
    {"_*_", "g", "dd>d", real<Sum::kMultiply>},
    {"_/_", "g", "ii>i", divided<std::int64_t, false>},
    {"_/_", "g", "uu>u", divided<std::uint64_t, false>},
    {"_/_", "g", "dd>d", quotient},
    {"_%_", "g", "ii>i", divided<std::int64_t, true>},
    {"_%_", "g", "uu>u", divided<std::uint64_t, true>},
    {"-_", "g", "i>i", negative},
    {"-_", "g", "d>d", [](Arguments given, Budget&) -> Value { return -given[0].as<double>(); }},
    {"!_", "g", "b>b", [](Arguments given, Budget&) -> Value { return !given[0].as<bool>(); }},
    {"_==_", "g", "AA>b",
     [](Arguments given, Budget& budget) -> Value { return equal(given[0], given[1], budget); }},
    {"_!=_", "g", "AA>b",
     [](Arguments given, Budget& budget) -> Value { return !equal(given[0], given[1], budget); }},
};

enum class Order { kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

template <Order order>
Value ordered(Arguments given, Budget& budget) {
  if (const auto* text = given[0].if_a<std::string>()) budget.spend_bytes(text->size());
  const auto found = compare(given[0], given[1]);
  if (!found) return false;  // NaN
  switch (order) {
    case Order::kLess:
      return *found < 0;
    case Order::kLessOrEqual:
      return *found <= 0;
    case Order::kGreater:
      return *found > 0;
    case Order::kGreaterOrEqual:
      return *found >= 0;
  }
  return false;
}

// What has an order; numbers are compared across their types.
constexpr std::string_view kOrdered[] = {"##>b", "bb>b", "ss>b", "yy>b", "DD>b", "TT>b"};
using OrderingRows = std::array<Row, 4 * std::size(kOrdered)>;

OrderingRows make_ordering_rows() {
  OrderingRows rows;
  auto* row = rows.data();
  for (const auto signature : kOrdered) {
    *row++ = {"_<_", "g", signature, ordered<Order::kLess>};
    *row++ = {"_<=_", "g", signature, ordered<Order::kLessOrEqual>};
    *row++ = {"_>_", "g", signature, ordered<Order::kGreater>};
    *row++ = {"_>=_", "g", signature, ordered<Order::kGreaterOrEqual>};
  }
  return rows;
}

}  // namespace

std::span<const Row> operator_rows() { return kRows; }

std::span<const Row> ordering_rows() {
  static const OrderingRows kAll = make_ordering_rows();
  return kAll;
}

}  // namespace tidegate::apiserver::cel
