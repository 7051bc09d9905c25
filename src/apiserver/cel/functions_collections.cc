// SPDX-License-Identifier: Apache-2.0
// Lists, maps, sets and optionals.
#include "apiserver/cel/functions.h"

namespace tidegate::apiserver::cel {
namespace {

Value size(Arguments given, Budget&) { return static_cast<std::int64_t>(size_of(given[0])); }

bool holds(const Value& list, const Value& wanted, Budget& budget) {
  for (const Value& one : elements(list, budget)) {
    if (equal(one, wanted, budget)) return true;
  }
  return false;
}

Value in_list(Arguments given, Budget& budget) { return holds(given[1], given[0], budget); }
Value in_map(Arguments given, Budget& budget) { return lookup(given[1], given[0], budget).has_value(); }

std::string printed(const Value& key) {
  const auto* text = key.if_a<std::string>();
  return text ? *text : std::string(kind_name(key.kind()));
}

Value at_index(Arguments given, Budget&) {
  const auto index = given[1].as<std::int64_t>();
  return index < 0 ? Value::failure("index out of bounds: " + std::to_string(index))
                   : item(given[0], static_cast<std::size_t>(index));
}
Value at_key(Arguments given, Budget& budget) {
  auto found = lookup(given[0], given[1], budget);
  return found ? std::move(*found) : Value::failure("no such key: " + printed(given[1]));
}

Value perhaps(Value value) { return value.failed() ? Value::none() : Value::some(std::move(value)); }
Value maybe_index(Arguments given, Budget& budget) { return perhaps(at_index(given, budget)); }
Value maybe_key(Arguments given, Budget& budget) { return perhaps(at_key(given, budget)); }
Value maybe_of_optional(Arguments given, Budget& budget) {
  const auto& inner = given[0].as<Option>().value;
  if (!inner) return Value::none();
  const List arguments = {*inner, given[1]};
  if (inner->kind() == kMap) return maybe_key(arguments, budget);
  const bool index = inner->kind() == kList && given[1].kind() == kInt;
  return index ? maybe_index(arguments, budget) : Value::failure("no such overload");
}

// The least or the greatest; an error of an empty list.
template <int sign>
Value extreme(Arguments given, Budget& budget) {
  const List items = elements(given[0], budget);
  if (items.empty())
    return Value::failure(sign < 0 ? "min called on empty list" : "max called on empty list");
  const Value* best = &items.front();
  for (const Value& one : items) {
    const auto order = compare(one, *best);
    if (!order) return Value::failure("no such overload");
    if (*order == sign) best = &one;
  }
  return *best;
}

Value is_sorted(Arguments given, Budget& budget) {
  const List items = elements(given[0], budget);
  for (std::size_t i = 1; i < items.size(); ++i) {
    const auto order = compare(items[i - 1], items[i]);
    if (!order) return Value::failure("no such overload");
    if (*order > 0) return false;
  }
  return true;
}

Value sum(Arguments given, Budget& budget) {
  const List items = elements(given[0], budget);
  if (items.empty()) return std::int64_t{0};
  Value total = items.front();
  for (std::size_t i = 1; i < items.size(); ++i) {
    const List pair = {total, items[i]};
    const Overload* plus = nullptr;
    for (const Overload* one : overloads("_+_", false)) {
      if (takes(*one, pair)) plus = one;
    }
    const Kind kind = total.kind();
    if (!plus || (kind != kInt && kind != kUint && kind != kDouble && kind != kDuration))
      return Value::failure("no such overload");
    total = plus->row.apply(pair, budget);
    if (total.failed()) return total;
  }
  return total;
}

Value index_in_list(Arguments given, Budget& budget) {
  const List items = elements(given[0], budget);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (equal(items[i], given[1], budget)) return static_cast<std::int64_t>(i);
  }
  return std::int64_t{-1};
}
Value last_index_in_list(Arguments given, Budget& budget) {
  const List items = elements(given[0], budget);
  for (std::size_t i = items.size(); i-- > 0;) {
    if (equal(items[i], given[1], budget)) return static_cast<std::int64_t>(i);
  }
  return std::int64_t{-1};
}

bool covers(const Value& all, const Value& some, Budget& budget) {
  for (const Value& one : elements(some, budget)) {
    if (!holds(all, one, budget)) return false;
  }
  return true;
}
Value set_contains(Arguments given, Budget& budget) { return covers(given[0], given[1], budget); }
Value set_equivalent(Arguments given, Budget& budget) {
  return covers(given[0], given[1], budget) && covers(given[1], given[0], budget);
}
Value set_intersects(Arguments given, Budget& budget) {
  for (const Value& one : elements(given[0], budget)) {
    if (holds(given[1], one, budget)) return true;
  }
  return false;
}

bool is_zero(const Value& value) {
  switch (value.kind()) {
    case kNull:
      return true;
    case kBool:
      return !value.as<bool>();
    case kInt:
      return value.as<std::int64_t>() == 0;
    case kUint:
      return value.as<std::uint64_t>() == 0;
    case kDouble:
      return value.as<double>() == 0;
    case kString:
      return value.as<std::string>().empty();
    case kBytes:
      return value.as<Bytes>().bytes.empty();
    case kDuration:
      return value.as<Nanos>().count == 0;
    case kList:
    case kMap:
      return size_of(value) == 0;
    case kOptional:
      return !value.as<Option>().value;
    default:  // the others have no zero
      return false;
  }
}

Value option_value(Arguments given, Budget&) {
  const auto& inner = given[0].as<Option>().value;
  return inner ? *inner : Value::failure("optional.none() dereference");
}
Value option_or_value(Arguments given, Budget&) {
  const auto& inner = given[0].as<Option>().value;
  return inner ? *inner : given[1];
}

constexpr Row kRows[] = {
    {"size", "gm", "lA>i", size},
    {"size", "gm", "mAB>i", size},
    {"_in_", "g", "AlA>b", in_list},
    {"_in_", "g", "AmAB>b", in_map},
    {"_[_]", "g", "lAi>A", at_index},
    {"_[_]", "g", "mABA>B", at_key},
    {"_[_]", "g", "oA*>o*", maybe_of_optional},
    {"_[?_]", "g", "lAi>oA", maybe_index},
    {"_[?_]", "g", "mABA>oB", maybe_key},
    {"_[?_]", "g", "oA*>o*", maybe_of_optional},
    {"isSorted", "m", "lA>b", is_sorted},
    {"sum", "m", "lA>A", sum},
    {"min", "m", "lA>A", extreme<-1>},
    {"max", "m", "lA>A", extreme<1>},
    {"indexOf", "m", "lAA>i", index_in_list},
    {"lastIndexOf", "m", "lAA>i", last_index_in_list},
    {"sets.contains", "g", "lAlA>b", set_contains},
    {"sets.equivalent", "g", "lAlA>b", set_equivalent},
    {"sets.intersects", "g", "lAlA>b", set_intersects},
    {"optional.of", "g", "A>oA", [](Arguments given, Budget&) { return Value::some(given[0]); }},
    {"optional.none", "g", ">o*", [](Arguments, Budget&) { return Value::none(); }},
    {"optional.ofNonZeroValue", "g", "A>oA",
     [](Arguments given, Budget&) { return is_zero(given[0]) ? Value::none() : Value::some(given[0]); }},
    {"hasValue", "m", "oA>b",
     [](Arguments given, Budget&) -> Value { return given[0].as<Option>().value != nullptr; }},
    {"value", "m", "oA>A", option_value},
    {"or", "m", "oAoA>oA",
     [](Arguments given, Budget&) -> Value { return given[0].as<Option>().value ? given[0] : given[1]; }},
    {"orValue", "m", "oAA>A", option_or_value},
};

}  // namespace

std::span<const Row> collection_rows() { return kRows; }

}  // namespace tidegate::apiserver::cel
