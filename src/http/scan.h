// SPDX-License-Identifier: Apache-2.0
// How far a run of bytes of one kind goes, sixteen at a time where the machine can. Thread: none; pure. Part
// of the HTTP/1 codec, for its .cc files alone.
#pragma once

#include <string_view>

#include "http/chars.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tidegate::http {

#ifdef __SSE2__

inline __m128i between(__m128i bytes, char low, char high) {  // as unsigned; all bits of those that are
  const __m128i offset = _mm_sub_epi8(bytes, _mm_set1_epi8(low));
  return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8(static_cast<char>(high - low))), offset);
}
#endif

// Letters, digits and '-': nearly all names of fields hold nothing else.
struct UsualNameByte {
  static bool holds(char c) {
    const char lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || is_digit(c) || c == '-';
  }
#ifdef __SSE2__
  static __m128i holds(__m128i bytes) {
    const __m128i letter = between(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 'z');
    const __m128i dash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));
    return _mm_or_si128(letter, _mm_or_si128(between(bytes, '0', '9'), dash));
  }
#endif
};

// What a field value may hold: no control but HTAB (RFC 9110 section 5.5).
struct ValueByte {
  static bool holds(char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return (byte >= 0x20 && byte != 0x7f) || c == '\t';
  }
#ifdef __SSE2__
  static __m128i holds(__m128i bytes) {
    const __m128i low = between(bytes, 0x20, 0x7e);
    const __m128i high = between(bytes, static_cast<char>(0x80), static_cast<char>(0xff));
    return _mm_or_si128(_mm_or_si128(low, high), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));
  }
#endif
};

// How many bytes of the kind `text` begins with.
template <typename Kind>
std::size_t run_size(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSE2__
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const auto others = static_cast<unsigned>(_mm_movemask_epi8(Kind::holds(bytes))) ^ 0xffffU;
    if (others != 0) return at + static_cast<std::size_t>(__builtin_ctz(others));
  }
#endif
  while (at < text.size() && Kind::holds(text[at])) ++at;
  return at;
}

}  // namespace tidegate::http
