// SPDX-License-Identifier: Apache-2.0
#include "http/chars.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tidegate::http {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool iequals_of_same_size(const char* a, const char* b, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i] && to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

bool list_has_token(std::string_view list, std::string_view token) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (iequals(trim_whitespace(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

#ifdef __SSE2__

namespace {

// A bit for each of 16 bytes.
int bad_value_bytes(const char* text) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  return _mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del));
}

std::size_t first_of(int mask) {
  return static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
}

}  // namespace

std::size_t find_bad_value_byte(std::string_view text) {
  char padded[16] = "aaaaaaaaaaaaaaa";
  if (text.size() < 16) {
    text.copy(padded, text.size());
    const int mask = bad_value_bytes(padded) & ((1 << text.size()) - 1);
    return mask == 0 ? text.size() : first_of(mask);
  }
  for (std::size_t i = 0; i + 16 <= text.size(); i += 16) {
    if (const int mask = bad_value_bytes(text.data() + i); mask != 0) return i + first_of(mask);
  }
  const std::size_t last = text.size() - 16;  // what is left, behind bytes that are known to be good
  const int mask = bad_value_bytes(text.data() + last);
  return mask == 0 ? text.size() : last + first_of(mask);
}

#else

std::size_t find_bad_value_byte(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<std::uint8_t>(text[i]);
    if ((c < 0x20 && c != '\t') || c == 0x7f) return i;
  }
  return text.size();
}

#endif

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (INT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace tidegate::http
