// SPDX-License-Identifier: Apache-2.0
// The functions and operators of expressions: CEL's standard ones and the libraries that Kubernetes adds. A
// function is one row in one of the tables in functions_*.cc. Pure; what reads or makes strings and lists
// pays from the budget. Thread: any.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "apiserver/cel/type.h"
#include "apiserver/cel/value.h"

namespace tidegate::apiserver::cel {

using Arguments = std::span<const Value>;

struct Row {
  std::string_view name;       // "size"; operators as "_+_"; with its namespace: "optional.of"
  std::string_view form;       // "g" global, "m" member, "gm" both
  std::string_view signature;  // see parse_signature(); a member's receiver is its first parameter
  Value (*apply)(Arguments, Budget&);
};

struct Overload {
  Row row;
  Signature signature;
};

// Those of that name, called in that form.
std::vector<const Overload*> overloads(std::string_view name, bool member);

// Whether values of these kinds may be given to it. Elements of lists are not looked at.
bool takes(const Overload& overload, Arguments arguments);

// The tables.
std::span<const Row> operator_rows();
std::span<const Row> ordering_rows();
std::span<const Row> conversion_rows();
std::span<const Row> text_rows();
std::span<const Row> collection_rows();
std::span<const Row> time_rows();
std::span<const Row> quantity_rows();
std::span<const Row> network_rows();
std::span<const Row> format_rows();

}  // namespace tidegate::apiserver::cel
