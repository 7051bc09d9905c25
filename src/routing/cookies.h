// SPDX-License-Identifier: Apache-2.0
// The cookies of a request (RFC 6265 section 5.4), also where HTTP/2 has cut them into several fields. Pure
// and total; thread: any.
#pragma once

#include <string_view>

#include "base/text.h"
#include "http/headers.h"

namespace tidegate::routing {

// Calls `take` with the value of each cookie of that name, in order, until it returns true; false: it never
// did.
template <typename Take>
bool any_cookie(const http::Headers& request, std::string_view name, Take take) {
  for (const http::Field& field : request) {
    if (!text::iequals(field.name, "cookie")) continue;
    for (const std::string_view pair : text::split(field.value, ';')) {
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || text::trim(pair.substr(0, equals)) != name) continue;
      if (take(text::trim(pair.substr(equals + 1)))) return true;
    }
  }
  return false;
}

}  // namespace tidegate::routing
