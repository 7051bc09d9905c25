// SPDX-License-Identifier: Apache-2.0
#include "apiserver/selectors.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::apiserver {
namespace {

// Parts between commas that are not inside parentheses.
std::vector<std::string_view> split_terms(std::string_view text) {
  std::vector<std::string_view> terms;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')') --depth;
    if (text[i] != ',' || depth > 0) continue;
    terms.push_back(text::trim(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  terms.push_back(text::trim(text.substr(begin)));
  return terms;
}

// What keys and values are made of.
std::string_view leading_word(std::string_view text) {
  constexpr std::string_view kWord = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
  return text.substr(0, text.find_first_not_of(kWord));
}

Error malformed(std::string_view text) {
  return {ErrorCode::kInvalid, "unable to parse requirement: \"" + std::string(text) + "\""};
}

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  LabelSelector selector;
  if (text::trim(text).empty()) return selector;
  for (const auto term : split_terms(text)) {
    auto requirement = parse_one(term);
    if (!requirement) return requirement.error();
    selector.requirements_.push_back(std::move(*requirement));
  }
  return selector;
}

Result<LabelSelector::Requirement> LabelSelector::parse_one(std::string_view term) {
  const bool missing = term.starts_with('!');
  const auto text = missing ? text::trim(term.substr(1)) : term;
  const auto key = leading_word(text);
  const auto rest = text::trim(text.substr(key.size()));
  if (key.empty() || (missing && !rest.empty())) return malformed(term);
  Requirement requirement{std::string(key), missing ? Op::kMissing : Op::kExists, {}};
  if (rest.empty()) return requirement;
  for (const auto& [sign, op] :
       {std::pair<std::string_view, Op>{"!=", Op::kNotIn}, {"==", Op::kIn}, {"=", Op::kIn}}) {
    if (!rest.starts_with(sign)) continue;
    requirement.op = op;
    const auto value = text::trim(rest.substr(sign.size()));
    if (leading_word(value) != value) return malformed(term);
    requirement.values.emplace_back(value);
    return requirement;
  }
  const auto word = leading_word(rest);
  if (word != "in" && word != "notin") return malformed(term);
  requirement.op = word == "in" ? Op::kIn : Op::kNotIn;
  const auto list = text::trim(rest.substr(word.size()));
  if (list.size() < 2 || list.front() != '(' || list.back() != ')') return malformed(term);
  for (const auto part : text::split(list.substr(1, list.size() - 2), ',')) {
    const auto value = text::trim(part);
    if (leading_word(value) != value) return malformed(term);
    requirement.values.emplace_back(value);
  }
  return requirement;
}

bool LabelSelector::matches(const Labels& labels) const {
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const Requirement& requirement) {
    const auto it = labels.find(requirement.key);
    const bool has = it != labels.end();
    const bool among = has && std::find(requirement.values.begin(), requirement.values.end(), it->second) !=
                                  requirement.values.end();
    switch (requirement.op) {
      case Op::kIn:
        return among;
      case Op::kNotIn:
        return !among;
      case Op::kExists:
        return has;
      case Op::kMissing:
        return !has;
    }
    return false;
  });
}

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  FieldSelector selector;
  if (text::trim(text).empty()) return selector;
  for (const auto part : text::split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return Error{ErrorCode::kInvalid,
                   "invalid field selector: \"" + std::string(part) + "\", expected path=value"};
    }
    const bool negated = part[equals - 1] == '!';
    auto value = part.substr(equals + 1);
    if (value.starts_with('=')) value.remove_prefix(1);
    selector.terms_.push_back({std::string(text::trim(part.substr(0, equals - (negated ? 1 : 0)))),
                               std::string(text::trim(value)), !negated});
  }
  return selector;
}

bool FieldSelector::matches(const ObjectId& id, const Stored& object) const {
  std::optional<Json> parsed;
  return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    std::string actual;
    if (term.path == "metadata.name") {
      actual = id.name;
    } else if (term.path == "metadata.namespace") {
      actual = id.ns;
    } else {
      if (!parsed) parsed = object.parse();
      const Json* value = json::find(*parsed, term.path);
      if (value) actual = value->is_string() ? value->get<std::string>() : json::dump(*value);
    }
    return (actual == term.value) == term.equal;
  });
}

}  // namespace tidegate::apiserver
