// SPDX-License-Identifier: Apache-2.0
#include "apiserver/cel/value.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apiserver/cel/times.h"
#include "apiserver/schema/schema_node.h"
#include "base/text.h"

namespace tidegate::apiserver::cel {
namespace {

constexpr double kTwoTo63 = 9223372036854775808.0;

Value from_text(const std::string& text, std::string_view format) {
  if (format == "byte") {
    auto bytes = text::base64_decode(text);
    return bytes ? Value(Bytes{std::move(*bytes)}) : Value::failure("not base64: " + text);
  }
  if (format == "date-time" || format == "date") {
    const auto time = text::parse_time(format == "date" ? text + "T00:00:00Z" : text);
    return time ? Value(*time) : Value::failure("not a time: " + text);
  }
  if (format == "duration") {
    const auto nanos = parse_nanos(text);
    return nanos ? Value(Nanos{*nanos}) : Value::failure("not a duration: " + text);
  }
  return text;
}

Value from_number(const Json& json, std::string_view type) {
  if (type == "number" || (json.is_number_float() && type != "integer")) return json.get<double>();
  const double number = json.get<double>();
  if (number >= kTwoTo63 || number < -kTwoTo63)
    return Value::failure("integer out of range: " + json::dump(json));
  return json.get<std::int64_t>();
}

int sign_of(double difference) { return difference < 0 ? -1 : difference > 0 ? 1 : 0; }

template <typename T>
int order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

std::optional<int> compare_double(double a, const Value& b) {
  if (std::isnan(a)) return std::nullopt;
  if (const auto* other = b.if_a<double>()) {
    if (std::isnan(*other)) return std::nullopt;
    return sign_of(a - *other == 0 || a == *other ? 0 : a < *other ? -1 : 1);
  }
  // Whole numbers beyond 2^53 are compared as such: a double that large has no fraction.
  if (const auto* other = b.if_a<std::int64_t>()) {
    if (a >= kTwoTo63) return 1;
    if (a < -kTwoTo63) return -1;
    const auto whole = static_cast<std::int64_t>(a);
    return whole != *other ? order(whole, *other) : sign_of(a - static_cast<double>(whole));
  }
  const auto other = b.as<std::uint64_t>();
  if (a >= 2 * kTwoTo63) return 1;
  if (a < 0) return -1;
  const auto whole = static_cast<std::uint64_t>(a);
  return whole != other ? order(whole, other) : sign_of(a - static_cast<double>(whole));
}

bool is_number(Kind kind) { return kind == kInt || kind == kUint || kind == kDouble; }

std::optional<int> compare_numbers(const Value& a, const Value& b) {
  if (const auto* number = a.if_a<double>()) return compare_double(*number, b);
  if (const auto* number = b.if_a<double>()) {
    const auto reversed = compare_double(*number, a);
    return reversed ? std::optional(-*reversed) : std::nullopt;
  }
  const auto* left = a.if_a<std::int64_t>();
  const auto* right = b.if_a<std::int64_t>();
  if (left && right) return order(*left, *right);
  if (left) return *left < 0 ? -1 : order(static_cast<std::uint64_t>(*left), b.as<std::uint64_t>());
  if (right) return *right < 0 ? 1 : order(a.as<std::uint64_t>(), static_cast<std::uint64_t>(*right));
  return order(a.as<std::uint64_t>(), b.as<std::uint64_t>());
}

bool in_any_order(const Value& list) {
  const Node* node = list.if_a<Node>();
  return node && node->schema && schema::list_type(*node->schema) != schema::ListType::kAtomic;
}

bool equal_lists(const Value& a, const Value& b, Budget& budget) {
  if (size_of(a) != size_of(b)) return false;
  const List left = elements(a, budget), right = elements(b, budget);
  if (budget.exhausted()) return false;
  if (!in_any_order(a) && !in_any_order(b)) {
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (!equal(left[i], right[i], budget)) return false;
    }
    return true;
  }
  std::vector<bool> taken(right.size());
  for (const Value& one : left) {
    std::size_t i = 0;
    while (i < right.size() && (taken[i] || !equal(one, right[i], budget))) ++i;
    if (i == right.size()) return false;
    taken[i] = true;
  }
  return true;
}

bool equal_maps(const Value& a, const Value& b, Budget& budget) {
  if (size_of(a) != size_of(b)) return false;
  for (const Value& key : elements(a, budget)) {
    const auto left = lookup(a, key, budget), right = lookup(b, key, budget);
    if (!left || !right || !equal(*left, *right, budget)) return false;
  }
  return true;
}

bool equal_options(const Option& a, const Option& b, Budget& budget) {
  if (!a.value || !b.value) return !a.value && !b.value;
  return equal(*a.value, *b.value, budget);
}

bool same(const Ip& a, const Ip& b) { return a.v6 == b.v6 && a.bytes == b.bytes; }

}  // namespace

bool Budget::spend_copy(const Value& value) {
  const auto* text = value.if_a<std::string>();
  return !text || spend(static_cast<std::int64_t>(text->size()) / kBytesACopyStep);
}

Kind Value::kind() const {
  static constexpr std::array kKinds = {kNull,     kBool,     kInt,       kUint, kDouble, kString,
                                        kBytes,    kDuration, kTimestamp, kList, kMap,    kMap /* Node */,
                                        kOptional, kTypeName, kQuantity,  kUrl,  kIp,     kCidr,
                                        kFormat,   kFailure};
  static_assert(kKinds.size() == std::variant_size_v<State>);
  if (const Node* node = if_a<Node>()) return node->json->is_array() ? kList : kMap;
  return kKinds[state_.index()];
}

Value from_json(const Json& json, const Json* schema) {
  const std::string_view type = schema ? schema::word(*schema, "type") : std::string_view();
  switch (json.type()) {
    case Json::value_t::boolean:
      return json.get<bool>();
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
      return from_number(json, type);
    case Json::value_t::string:
      return from_text(json.get_ref<const std::string&>(),
                       schema ? schema::word(*schema, "format") : std::string_view());
    case Json::value_t::object:
    case Json::value_t::array:
      return Node{&json, schema};
    case Json::value_t::null:
    case Json::value_t::binary:
    case Json::value_t::discarded:
      return {};
  }
  return {};
}

std::size_t size_of(const Value& value) {
  if (const auto* list = value.if_a<std::shared_ptr<const List>>()) return (*list)->size();
  if (const auto* map = value.if_a<std::shared_ptr<const Entries>>()) return (*map)->size();
  return value.as<Node>().json->size();
}

List elements(const Value& value, Budget& budget) {
  List out;
  if (!budget.spend(static_cast<std::int64_t>(size_of(value)))) return out;
  out.reserve(size_of(value));
  const auto add = [&](Value one) {
    if (budget.spend_copy(one)) out.push_back(std::move(one));
  };
  if (const auto* list = value.if_a<std::shared_ptr<const List>>()) {
    for (const Value& one : **list) add(one);
  } else if (const auto* map = value.if_a<std::shared_ptr<const Entries>>()) {
    for (const auto& [key, unused] : **map) add(key);
  } else if (const Node& node = value.as<Node>(); node.json->is_array()) {
    const Json* items = node.schema ? schema::item_schema(*node.schema) : nullptr;
    for (const Json& one : *node.json) add(from_json(one, items));
  } else {
    for (const auto& [key, unused] : node.json->get_ref<const Json::object_t&>()) add(key);
  }
  return out;
}

Value item(const Value& list, std::size_t index) {
  if (index >= size_of(list)) return Value::failure("index out of bounds: " + std::to_string(index));
  if (const auto* items = list.if_a<std::shared_ptr<const List>>()) return (**items)[index];
  const Node& node = list.as<Node>();
  return from_json((*node.json)[index], node.schema ? schema::item_schema(*node.schema) : nullptr);
}

std::optional<Value> lookup(const Value& map, const Value& key, Budget& budget) {
  if (const Node* node = map.if_a<Node>()) {
    const auto* name = key.if_a<std::string>();
    const Json* found = name ? schema::member(*node->json, *name) : nullptr;
    if (!found) return std::nullopt;
    return from_json(*found, node->schema ? schema::child_schema(*node->schema, *name) : nullptr);
  }
  for (const auto& [known, value] : *map.as<std::shared_ptr<const Entries>>()) {
    if (equal(known, key, budget)) return value;
  }
  return std::nullopt;
}

std::optional<int> compare(const Value& a, const Value& b) {
  if (is_number(a.kind()) && is_number(b.kind())) return compare_numbers(a, b);
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case kBool:
      return order(a.as<bool>(), b.as<bool>());
    case kString:
      return order(a.as<std::string>(), b.as<std::string>());
    case kBytes:
      return order(a.as<Bytes>().bytes, b.as<Bytes>().bytes);
    case kDuration:
      return order(a.as<Nanos>().count, b.as<Nanos>().count);
    case kTimestamp:
      return order(a.as<TimePoint>(), b.as<TimePoint>());
    case kQuantity:
      return order(a.as<Quantity>().nanos, b.as<Quantity>().nanos);
    default:  // the others have no order
      return std::nullopt;
  }
}

bool equal(const Value& a, const Value& b, Budget& budget) {
  if (!budget.spend()) return false;
  if (const auto compared = compare(a, b)) {
    if (const auto* text = a.if_a<std::string>()) budget.spend_bytes(text->size());
    return *compared == 0;
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case kNull:
      return true;
    case kList:
      return equal_lists(a, b, budget);
    case kMap:
      return equal_maps(a, b, budget);
    case kOptional:
      return equal_options(a.as<Option>(), b.as<Option>(), budget);
    case kTypeName:
      return a.as<TypeName>().name == b.as<TypeName>().name;
    case kUrl: {
      const auto &left = a.as<Url>(), &right = b.as<Url>();
      return left.scheme == right.scheme && left.host == right.host && left.path == right.path &&
             left.query == right.query;
    }
    case kIp:
      return same(a.as<Ip>(), b.as<Ip>());
    case kCidr:
      return a.as<Cidr>().prefix == b.as<Cidr>().prefix && same(a.as<Cidr>().ip, b.as<Cidr>().ip);
    case kFormat:
      return a.as<Format>().name == b.as<Format>().name;
    default:  // NaN; all others have an order
      return false;
  }
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case kNull:
      return "null_type";
    case kBool:
      return "bool";
    case kInt:
      return "int";
    case kUint:
      return "uint";
    case kDouble:
      return "double";
    case kString:
      return "string";
    case kBytes:
      return "bytes";
    case kDuration:
      return "google.protobuf.Duration";
    case kTimestamp:
      return "google.protobuf.Timestamp";
    case kList:
      return "list";
    case kMap:
      return "map";
    case kObject:
      return "object";
    case kOptional:
      return "optional_type";
    case kTypeName:
      return "type";
    case kQuantity:
      return "kubernetes.Quantity";
    case kUrl:
      return "kubernetes.URL";
    case kIp:
      return "net.IP";
    case kCidr:
      return "net.CIDR";
    case kFormat:
      return "kubernetes.NamedFormat";
    case kDyn:
      return "dyn";
    case kFailure:
      return "error";
  }
  return "dyn";
}

}  // namespace tidegate::apiserver::cel
