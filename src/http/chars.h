// SPDX-License-Identifier: Apache-2.0
// Character classes of RFC 9110 and RFC 3986 and the small comparisons that the codecs share. Thread: none;
// pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tidegate::http {

enum CharClass : std::uint8_t {
  kTokenChar = 1,       // tchar, RFC 9110 section 5.6.2
  kTargetChar = 2,      // visible ASCII without '#': what we take in a request target
  kUnreservedChar = 4,  // RFC 3986 section 2.3
  kHostChar = 8,        // a registered name, without percent-encodings
  kPlainPathChar = 16,  // of a path, and the same in any spelling
};

namespace detail {

constexpr std::array<std::uint8_t, 256> make_char_classes() {
  std::array<std::uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    std::uint8_t classes = 0;
    if (c > 0x20 && c < 0x7f && c != '#') classes |= kTargetChar;
    if (alnum) classes |= kTokenChar | kUnreservedChar | kHostChar;
    if ((classes & kTargetChar) != 0 && c != '%' && c != '?' && c != '\\') classes |= kPlainPathChar;
    table[static_cast<std::size_t>(c)] = classes;
  }
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<std::uint8_t>(c)] |= kTokenChar;
  for (const char c : std::string_view("-._~"))
    table[static_cast<std::uint8_t>(c)] |= kUnreservedChar | kHostChar;
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kCharClasses = make_char_classes();

}  // namespace detail

inline bool is(char c, CharClass wanted) {
  return (detail::kCharClasses[static_cast<std::uint8_t>(c)] & wanted) != 0;
}
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
inline bool all(std::string_view text, CharClass wanted) {
  for (const char c : text) {
    if (!is(c, wanted)) return false;
  }
  return true;
}

// The value of a hex digit, or -1.
int hex_value(char c);

bool iequals_of_same_size(const char* a, const char* b, std::size_t size);
// Inline as far as the sizes and the first letters, which tell most names apart.
inline bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.empty()) return true;
  return ((a.front() ^ b.front()) & ~0x20) == 0 && iequals_of_same_size(a.data(), b.data(), a.size());
}

// `list` is a comma-separated list of RFC 9110 section 5.6.1.
bool list_has_token(std::string_view list, std::string_view token);

inline std::string_view trim_whitespace(std::string_view text) {  // SP and HTAB
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Index of the first byte that a field value may not hold (controls but HTAB, DEL), or text.size().
std::size_t find_bad_value_byte(std::string_view text);

// 1*DIGIT below 2^63; nothing else, not even a sign.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace tidegate::http
