// SPDX-License-Identifier: Apache-2.0
// Types of expressions, as far as they are known before evaluation: those that schemas declare, and those
// that signatures of functions are written in. Pure. Thread: any. A Type borrows the schema that it was made
// of.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/cel/value.h"

namespace tidegate::apiserver::cel {

struct Type {
  char kind = kDyn;              // a Kind; in signatures also 'A' and 'B' (any type, the same throughout) and
                                 // '#' (int, uint or double)
  std::vector<Type> of;          // of lists and optionals one, of maps two
  const Json* schema = nullptr;  // of objects
  bool root = false;             // an object of the API, with metadata

  bool is_dyn() const { return kind == kDyn; }
};

// "list(string)", "map(string, int)".
std::string to_string(const Type& type);

// What a schema declares (Kubernetes' rules): nullopt where expressions may not look into it, because it says
// no type or keeps unknown fields.
std::optional<Type> declared_type(const Json& schema, bool root);

// A field of an object, named as expressions escape names (__namespace__, a__dash__b). `key` receives the
// name in documents. nullopt where there is none.
std::optional<Type> field_type(const Type& object, std::string_view name, std::string& key);

// "ss>b": the types of parameters, then that of the result, in Kinds; l, m and o are followed by what they
// hold: "lAi>A", "mAB>i".
struct Signature {
  std::vector<Type> parameters;
  Type result;
};
Signature parse_signature(std::string_view text);

// What 'A' and 'B' stand for in one call.
using Bindings = std::array<std::optional<Type>, 2>;
// Whether an argument of `type` may stand where `pattern` is asked for; dyn may stand anywhere, null too.
bool accepts(const Type& pattern, const Type& type, Bindings& bindings);
Type substitute(const Type& pattern, const Bindings& bindings);
// The type that both have; dyn where they differ.
Type join(const Type& a, const Type& b);

}  // namespace tidegate::apiserver::cel
