// SPDX-License-Identifier: Apache-2.0
// YAML manifests as JSON documents. Scalars are typed here by the JSON core rules, never by yaml-cpp: plain
// null, true, false, integers and floats are typed, everything else and everything quoted is a string; !!str
// and !!int are honoured.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace tidegate::yaml {

// A document and the line of its first token (1-based), for messages.
struct Document {
  Json value;
  int line = 1;
};

// All documents of a stream; empty ones are left out. Errors name line and column. Duplicate keys, merge keys
// (<<), tabs as indentation, nesting past json::kMaxDepth and aliases that expand past json::kMaxBytes are
// errors.
Result<std::vector<Document>> parse_all(std::string_view text);

// Block style, keys sorted; strings are quoted only where a YAML reader, 1.1 or 1.2, would take them for
// another type ("on", "0123"). parse(dump(x)) == x.
std::string dump(const Json& value);

}  // namespace tidegate::yaml
