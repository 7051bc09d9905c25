// SPDX-License-Identifier: Apache-2.0
// The canonical YAML form of a Table: what golden files hold, what /debug/routes and `tidegate translate`
// print. Fields at their default are left out; equal tables give equal text. Certificates are shown as
// digests and keys never, so a table read back can be compared and matched against, but serves no TLS.
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "routing/table.h"

namespace tidegate::routing {

std::string to_yaml(const Table& table);

// Errors (kInvalid) name the place ("listeners[0].rules[2].matches[0].path"), the value and what was
// expected. Unknown fields are errors.
Result<Table> from_yaml(std::string_view text);

}  // namespace tidegate::routing
