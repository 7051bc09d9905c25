// SPDX-License-Identifier: Apache-2.0
#include "base/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::yaml {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

// [-+]?(0|[1-9][0-9]*)
bool is_integer(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || (text[0] == '0' && text.size() > 1)) return false;
  return std::all_of(text.begin(), text.end(), is_digit);
}

std::size_t count_digits(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?, with no leading zero before another digit
bool is_float(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t whole = count_digits(text);
  if (whole > 1 && text[0] == '0') return false;
  text.remove_prefix(whole);
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    fraction = count_digits(text.substr(1));
    text.remove_prefix(1 + fraction);
  }
  if (whole + fraction == 0) return false;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && count_digits(text) == text.size();
}

Json read_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (const auto value = text::parse_int(text)) return *value;
  std::uint64_t large = 0;
  const char* end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, large); read.ec == std::errc() && read.ptr == end)
    return large;
  const auto value = text::parse_double(text);
  if (value && std::isfinite(*value)) return *value;
  return std::string(text);  // no JSON number can hold it
}

// What YAML 1.1 reads as octal, hexadecimal, binary, grouped or base 60.
bool is_old_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !is_digit(text[0])) return false;
  if (std::all_of(text.begin(), text.end(),
                  [](char c) { return is_digit(c) || c == '_' || c == ':' || c == '.'; })) {
    return std::count(text.begin(), text.end(), '.') <= 1;
  }
  return text[0] == '0' &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '_'; });
}

bool is_old_word(std::string_view text) {
  const std::string word = text::lower(text);
  return one_of(word, {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"});
}

bool safe_inside(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (is_alnum(c) || one_of(text.substr(at, 1),
                            {"_", ".", "/", "-", "+", "=", "@", "(", ")", "$", "~", "^", ";", "<", ">"})) {
    return true;
  }
  if (c == ' ') return text[at - 1] != ' ' && at + 1 < text.size() && text[at + 1] != '#';
  if (c == ':') return at + 1 < text.size() && text[at + 1] != ' ';
  return false;
}

}  // namespace

Json read_plain(std::string_view text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (one_of(text, {"true", "True", "TRUE"})) return true;
  if (one_of(text, {"false", "False", "FALSE"})) return false;
  if (is_integer(text) || is_float(text)) return read_number(text);
  return std::string(text);
}

bool safe_plain(std::string_view text) {
  if (text.empty() || !read_plain(text).is_string()) return false;
  if (is_old_word(text) || is_old_number(text)) return false;
  if (!is_alnum(text[0]) && text[0] != '/' && text[0] != '_') return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (!safe_inside(text, i)) return false;
  }
  return true;
}

}  // namespace tidegate::yaml
