// SPDX-License-Identifier: Apache-2.0
// Functions of strings. Positions count in code points.
#include <re2/re2.h>

#include <algorithm>

#include "apiserver/cel/functions.h"
#include "apiserver/cel/text_format.h"
#include "apiserver/cel/unicode.h"
#include "apiserver/schema/formats.h"

namespace tidegate::apiserver::cel {
namespace {

const std::string& text(Arguments given, std::size_t i) { return given[i].as<std::string>(); }
std::int64_t number(Arguments given, std::size_t i) { return given[i].as<std::int64_t>(); }
Value out_of_range(std::int64_t index) {
  return Value::failure("index out of range: " + std::to_string(index));
}
Value too_long() { return Value::failure("too long"); }

// Pays for a look at every argument.
bool pay(Arguments given, Budget& budget) {
  std::size_t bytes = 0;
  for (const Value& one : given) {
    if (const auto* part = one.if_a<std::string>()) bytes += part->size();
  }
  return budget.spend_bytes(bytes);
}

Value contains(Arguments given, Budget& budget) {
  pay(given, budget);
  return text(given, 0).find(text(given, 1)) != std::string::npos;
}
Value starts_with(Arguments given, Budget& budget) {
  pay(given, budget);
  return text(given, 0).starts_with(text(given, 1));
}
Value ends_with(Arguments given, Budget& budget) {
  pay(given, budget);
  return text(given, 0).ends_with(text(given, 1));
}

Value matches(Arguments given, Budget& budget) {
  pay(given, budget);
  if (!schema::is_pattern(text(given, 1)))
    return Value::failure("error parsing regexp: `" + text(given, 1).substr(0, 256) + "`");
  return schema::matches_pattern(text(given, 0), text(given, 1));
}

// find() and findAll(): the whole matches, not their groups.
Value found_all(const std::string& where, const std::string& pattern, std::int64_t limit, Budget& budget) {
  if (!budget.spend_bytes(where.size() + pattern.size())) return too_long();
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 expression(pattern, options);
  if (!expression.ok()) return Value::failure("error parsing regexp: `" + pattern.substr(0, 256) + "`");
  List out;
  std::size_t at = 0;
  re2::StringPiece match;
  while (at <= where.size() && (limit < 0 || static_cast<std::int64_t>(out.size()) < limit) &&
         budget.spend_bytes(where.size() - at) &&
         expression.Match(where, at, where.size(), RE2::UNANCHORED, &match, 1)) {
    out.emplace_back(std::string(match.data(), match.size()));
    const auto end = static_cast<std::size_t>(match.data() - where.data()) + match.size();
    at = match.empty() ? byte_of(std::string_view(where).substr(end), 1) + std::max<std::size_t>(end, at)
                       : end;
    if (match.empty() && end == where.size()) break;
  }
  return Value::list(std::move(out));
}
Value find(Arguments given, Budget& budget) {
  Value found = found_all(text(given, 0), text(given, 1), 1, budget);
  if (found.failed()) return found;
  return size_of(found) == 0 ? Value(std::string()) : item(found, 0);
}
Value find_all(Arguments given, Budget& budget) {
  return found_all(text(given, 0), text(given, 1), given.size() == 3 ? number(given, 2) : -1, budget);
}

Value char_at(Arguments given, Budget& budget) {
  pay(given, budget);
  const auto& where = text(given, 0);
  const auto index = number(given, 1);
  const auto size = static_cast<std::int64_t>(code_points(where));
  if (index < 0 || index > size) return out_of_range(index);
  const auto at = byte_of(where, static_cast<std::size_t>(index));
  return where.substr(at, byte_of(where, static_cast<std::size_t>(index) + 1) - at);
}

Value index_of(Arguments given, Budget& budget) {
  pay(given, budget);
  const auto& where = text(given, 0);
  const auto from = given.size() == 3 ? number(given, 2) : 0;
  if (from < 0 || from > static_cast<std::int64_t>(code_points(where))) return out_of_range(from);
  const auto found = where.find(text(given, 1), byte_of(where, static_cast<std::size_t>(from)));
  if (found == std::string::npos) return std::int64_t{-1};
  return static_cast<std::int64_t>(code_points(std::string_view(where).substr(0, found)));
}

Value last_index_of(Arguments given, Budget& budget) {
  pay(given, budget);
  const auto& where = text(given, 0);
  const auto size = static_cast<std::int64_t>(code_points(where));
  const auto from = given.size() == 3 ? number(given, 2) : size;
  if (from < 0 || from > size) return out_of_range(from);
  const auto found = where.rfind(text(given, 1), byte_of(where, static_cast<std::size_t>(from)));
  if (found == std::string::npos) return std::int64_t{-1};
  return static_cast<std::int64_t>(code_points(std::string_view(where).substr(0, found)));
}

Value substring(Arguments given, Budget& budget) {
  pay(given, budget);
  const auto& where = text(given, 0);
  const auto size = static_cast<std::int64_t>(code_points(where));
  const auto begin = number(given, 1), end = given.size() == 3 ? number(given, 2) : size;
  if (begin < 0 || begin > size) return out_of_range(begin);
  if (end < begin || end > size) return out_of_range(end);
  const auto at = byte_of(where, static_cast<std::size_t>(begin));
  return where.substr(at, byte_of(where, static_cast<std::size_t>(end)) - at);
}

template <char first, char last, int shift>
Value shifted(Arguments given, Budget& budget) {
  pay(given, budget);
  std::string out = text(given, 0);
  for (char& c : out) {
    if (c >= first && c <= last) c = static_cast<char>(c + shift);
  }
  return out;
}

Value replace(Arguments given, Budget& budget) {
  const auto &where = text(given, 0), &old = text(given, 1), &with = text(given, 2);
  auto left = given.size() == 4 ? number(given, 3) : -1;
  std::string out;
  std::size_t at = 0;
  pay(given, budget);
  while (left != 0 && budget.spend_bytes(with.size())) {
    const auto found = where.find(old, at);
    if (found == std::string::npos) break;
    out.append(where, at, found - at).append(with);
    at = found + old.size();
    --left;
    if (!old.empty()) continue;
    if (at == where.size()) return out;
    // Nothing is found before each character, and at the end.
    const auto next = at + byte_of(std::string_view(where).substr(at), 1);
    out.append(where, at, next - at);
    at = next;
  }
  return out.append(where, std::min(at, where.size()));
}

Value split(Arguments given, Budget& budget) {
  const auto &where = text(given, 0), &by = text(given, 1);
  auto left = given.size() == 3 ? number(given, 2) : -1;
  List out;
  pay(given, budget);
  if (left == 0) return Value::list({});
  std::size_t at = 0;
  while (left != 1 && budget.spend()) {
    // Split by nothing gives the characters.
    const auto end = by.empty() ? at + byte_of(std::string_view(where).substr(at), 1) : where.find(by, at);
    if (end == std::string::npos || (by.empty() && end >= where.size())) break;
    out.emplace_back(where.substr(at, end - at));
    at = end + by.size();
    --left;
  }
  if (!by.empty() || at < where.size()) out.emplace_back(where.substr(at));
  return Value::list(std::move(out));
}

Value join(Arguments given, Budget& budget) {
  const std::string separator = given.size() == 2 ? text(given, 1) : "";
  std::string out;
  bool first = true;
  for (const Value& part : elements(given[0], budget)) {
    if (part.kind() != kString) return Value::failure("no such overload");
    const auto& more = part.as<std::string>();
    if (!budget.spend_bytes(more.size() + separator.size())) return too_long();
    out += (first ? "" : separator) + more;
    first = false;
  }
  return out;
}

Value trim(Arguments given, Budget& budget) {
  pay(given, budget);
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const auto& where = text(given, 0);
  const auto begin = where.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return std::string();
  return where.substr(begin, where.find_last_not_of(kBlanks) - begin + 1);
}

Value reverse(Arguments given, Budget& budget) {
  pay(given, budget);
  const auto& where = text(given, 0);
  std::string out;
  for (std::size_t end = where.size(); end > 0;) {
    std::size_t begin = end - 1;
    while (begin > 0 && (static_cast<unsigned char>(where[begin]) & 0xC0U) == 0x80U) --begin;
    out.append(where, begin, end - begin);
    end = begin;
  }
  return out;
}

Value size(Arguments given, Budget& budget) {
  pay(given, budget);
  return static_cast<std::int64_t>(code_points(text(given, 0)));
}

Value format(Arguments given, Budget& budget) { return formatted(text(given, 0), given[1], budget); }

Value quote(Arguments given, Budget& budget) {
  pay(given, budget);
  return quoted(text(given, 0));
}

constexpr Row kRows[] = {
    {"size", "gm", "s>i", size},
    {"size", "gm", "y>i",
     [](Arguments given, Budget&) -> Value {
       return static_cast<std::int64_t>(given[0].as<Bytes>().bytes.size());
     }},
    {"contains", "m", "ss>b", contains},
    {"startsWith", "m", "ss>b", starts_with},
    {"endsWith", "m", "ss>b", ends_with},
    {"matches", "gm", "ss>b", matches},
    {"find", "m", "ss>s", find},
    {"findAll", "m", "ss>ls", find_all},
    {"findAll", "m", "ssi>ls", find_all},
    {"charAt", "m", "si>s", char_at},
    {"indexOf", "m", "ss>i", index_of},
    {"indexOf", "m", "ssi>i", index_of},
    {"lastIndexOf", "m", "ss>i", last_index_of},
    {"lastIndexOf", "m", "ssi>i", last_index_of},
    {"substring", "m", "si>s", substring},
    {"substring", "m", "sii>s", substring},
    {"lowerAscii", "m", "s>s", shifted<'A', 'Z', 'a' - 'A'>},
    {"upperAscii", "m", "s>s", shifted<'a', 'z', 'A' - 'a'>},
    {"replace", "m", "sss>s", replace},
    {"replace", "m", "sssi>s", replace},
    {"split", "m", "ss>ls", split},
    {"split", "m", "ssi>ls", split},
    {"join", "m", "ls>s", join},
    {"join", "m", "lss>s", join},
    {"trim", "m", "s>s", trim},
    {"reverse", "m", "s>s", reverse},
    {"format", "m", "sl*>s", format},
    {"strings.quote", "g", "s>s", quote},
};

}  // namespace

std::span<const Row> text_rows() { return kRows; }

}  // namespace tidegate::apiserver::cel
