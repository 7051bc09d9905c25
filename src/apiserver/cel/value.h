// SPDX-License-Identifier: Apache-2.0
// What expressions compute with: the values of CEL, and those that Kubernetes adds. Documents are not copied:
// a Node looks into them. Not here: what functions do with values (functions.h). Pure; values are immutable.
// Thread: any. A Node borrows document and schema, which have to outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "apiserver/cel/limits.h"
#include "base/clock.h"
#include "base/json.h"

namespace tidegate::apiserver::cel {

// The kinds of values and of types, one character each: signatures of functions are written in them.
enum Kind : char {
  kNull = 'n',
  kBool = 'b',
  kInt = 'i',
  kUint = 'u',
  kDouble = 'd',
  kString = 's',
  kBytes = 'y',
  kDuration = 'D',
  kTimestamp = 'T',
  kList = 'l',
  kMap = 'm',
  kObject = 'O',  // of types only: a schema's object, whose fields are known; its values are maps
  kOptional = 'o',
  kTypeName = 't',
  kQuantity = 'Q',
  kUrl = 'U',
  kIp = 'P',
  kCidr = 'C',
  kFormat = 'F',
  kDyn = '*',      // of types only
  kFailure = '!',  // of values only
};

class Value;

// What an expression may still cost. Steps are operations, and bytes of strings by the ten.
class Budget {
 public:
  explicit Budget(std::int64_t steps) : left_(steps) {}
  // False, now and ever after, once it is used up.
  bool spend(std::int64_t steps = 1) { return left_ >= 0 && (left_ -= steps) >= 0; }
  bool spend_bytes(std::size_t bytes) { return spend(1 + static_cast<std::int64_t>(bytes) / kBytesAStep); }
  bool spend_copy(const Value& value);  // for a string that is handed on
  bool exhausted() const { return left_ < 0; }
  std::int64_t left() const { return left_ < 0 ? 0 : left_; }

 private:
  std::int64_t left_;
};

using List = std::vector<Value>;
using Entries = std::vector<std::pair<Value, Value>>;

struct Bytes {
  std::string bytes;
};
struct Nanos {  // a duration
  std::int64_t count = 0;
};
struct Node {  // an object or a list of a document, with what its schema says, if it says anything
  const Json* json = nullptr;
  const Json* schema = nullptr;
};
struct Option {
  std::shared_ptr<const Value> value;  // nullptr: none
};
struct TypeName {
  std::string name;
};
struct Quantity {  // of Kubernetes: in billionths, the smallest that its suffixes reach
  __int128 nanos = 0;
};
struct Url {
  std::string scheme, host, path, query;  // host with its port
};
struct Ip {
  bool v6 = false;
  std::string bytes;  // 4 or 16, in network order
};
struct Cidr {
  Ip ip;
  int prefix = 0;
};
struct Format {
  std::string name;
};
struct Failure {
  std::string what;
};

template <typename T, typename Variant>
struct IsAlternative;
template <typename T, typename... All>
struct IsAlternative<T, std::variant<All...>> : std::bool_constant<(std::is_same_v<T, All> || ...)> {};

class Value {
 public:
  using State = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Bytes,
                             Nanos, TimePoint, std::shared_ptr<const List>, std::shared_ptr<const Entries>,
                             Node, Option, TypeName, Quantity, Url, Ip, Cidr, Format, Failure>;

  Value() = default;  // null
  template <typename T>
  requires IsAlternative<T, State>::value Value(T value)
      : state_(std::in_place_type<T>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  static Value list(List items) { return std::make_shared<const List>(std::move(items)); }
  static Value map(Entries entries) { return std::make_shared<const Entries>(std::move(entries)); }
  static Value some(Value value) { return Option{std::make_shared<const Value>(std::move(value))}; }
  static Value none() { return Option{}; }
  static Value failure(std::string what) { return Failure{std::move(what)}; }

  Kind kind() const;
  bool failed() const { return std::holds_alternative<Failure>(state_); }
  template <typename T>
  const T& as() const {
    return std::get<T>(state_);
  }
  template <typename T>
  const T* if_a() const {
    return std::get_if<T>(&state_);
  }

 private:
  State state_;
};

// A field's value as its schema types it: integers and numbers kept apart, strings of format byte, date,
// date-time and duration converted. Without a schema, as JSON types it.
Value from_json(const Json& json, const Json* schema);

// Of lists and maps. `elements` are the items of a list, the keys of a map; fewer where the budget ends.
std::size_t size_of(const Value& value);
List elements(const Value& value, Budget& budget);
Value item(const Value& list, std::size_t index);  // a failure where it is out of range
std::optional<Value> lookup(const Value& map, const Value& key, Budget& budget);

// CEL's equality: of any two values; numbers by value whatever their type, lists of type set and map in any
// order.
bool equal(const Value& a, const Value& b, Budget& budget);
// -1, 0, 1; nullopt for values that have no order, NaN among them.
std::optional<int> compare(const Value& a, const Value& b);

std::string_view kind_name(Kind kind);  // as CEL calls it: "int", "list"

}  // namespace tidegate::apiserver::cel
