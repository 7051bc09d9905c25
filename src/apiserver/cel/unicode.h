// SPDX-License-Identifier: Apache-2.0
// Strings of expressions count in code points. Total: a byte that is not UTF-8 counts as one. Pure. Thread:
// any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::apiserver::cel {

std::size_t code_points(std::string_view text);
// The byte at which code point `index` begins; text.size() for the one behind the last and all beyond.
std::size_t byte_of(std::string_view text, std::size_t index);
bool is_utf8(std::string_view bytes);
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace tidegate::apiserver::cel
