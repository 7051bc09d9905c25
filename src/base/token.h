// SPDX-License-Identifier: Apache-2.0
// Tokens of HTTP (RFC 9110 section 5.6.2), which names of cookies are too. Pure; thread: any.
#pragma once

#include <algorithm>
#include <cctype>
#include <string_view>

namespace tidegate::text {

inline bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

}  // namespace tidegate::text
