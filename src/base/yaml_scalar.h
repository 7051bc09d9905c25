// SPDX-License-Identifier: Apache-2.0
// How plain YAML scalars read, for both directions of yaml.h. Thread: none; pure.
#pragma once

#include <string_view>

#include "base/json.h"

namespace tidegate::yaml {

// null, true, false, integers (decimal, no leading zero) and finite floats are typed; everything else is a
// string.
Json read_plain(std::string_view text);

// True where readers agree that the text, written plain, is this very string. YAML 1.1 readers take "yes",
// "on", "0123", "0x1f", "1_000" and "12:30" for other types, so these are quoted although read_plain() would
// not need it.
bool safe_plain(std::string_view text);

}  // namespace tidegate::yaml
