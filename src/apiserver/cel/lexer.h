// SPDX-License-Identifier: Apache-2.0
// Expressions into tokens (CEL's language definition, "Syntax"). Pure and total. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/cel/value.h"

namespace tidegate::apiserver::cel {

struct Token {
  enum class Kind { kEnd, kName, kLiteral, kSymbol };
  Kind kind = Kind::kEnd;
  std::string text;  // of a name or a symbol
  Value value;       // of a literal; true, false and null are literals
  std::size_t offset = 0;
};

// "ERROR: <input>:1:6: what", as Kubernetes prints it; lines from 1, columns in characters from 1.
Error error_at(std::string_view source, std::size_t offset, const std::string& what);

// All tokens, kEnd at the end. Errors (kInvalid) as error_at() writes them.
Result<std::vector<Token>> tokens_of(std::string_view source);

// The value of a number as written: "-1", "0x1F", "7u", "1e3"; nullopt where it is out of range.
std::optional<Value> number_of(std::string_view text);

}  // namespace tidegate::apiserver::cel
