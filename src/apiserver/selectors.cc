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

Error malformed(std::string_view text) { return {ErrorCode::kInvalid, "unable to parse requirement: " + std::string(text)}; }

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
  if (term.empty()) return malformed(term);
  if (term.front() == '!') return Requirement{std::string(text::trim(term.substr(1))), Op::kMissing, {}};
  for (const auto& [word, op] : {std::pair<std::string_view, Op>{" notin ", Op::kNotIn}, {" in ", Op::kIn}}) {
    const auto at = term.find(word);
    if (at == std::string_view::npos) continue;
    const auto list = text::trim(term.substr(at + word.size()));
    if (list.size() < 2 || list.front() != '(' || list.back() != ')') return malformed(term);
    Requirement requirement{std::string(text::trim(term.substr(0, at))), op, {}};
    for (const auto value : text::split(list.substr(1, list.size() - 2), ',')) {
      requirement.values.emplace_back(text::trim(value));
    }
    return requirement;
  }
  const auto equals = term.find('=');
  if (equals == std::string_view::npos) return Requirement{std::string(term), Op::kExists, {}};
  const bool negated = equals > 0 && term[equals - 1] == '!';
  const bool doubled = equals + 1 < term.size() && term[equals + 1] == '=';
  const auto key = text::trim(term.substr(0, equals - (negated ? 1 : 0)));
  const auto value = text::trim(term.substr(equals + (doubled ? 2 : 1)));
  if (key.empty()) return malformed(term);
  return Requirement{std::string(key), negated ? Op::kNotIn : Op::kIn, {std::string(value)}};
}

bool LabelSelector::matches(const Labels& labels) const {
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const Requirement& requirement) {
    const auto it = labels.find(requirement.key);
    const bool has = it != labels.end();
    const bool among = has && std::find(requirement.values.begin(), requirement.values.end(), it->second) != requirement.values.end();
    switch (requirement.op) {
      case Op::kIn: return among;
      case Op::kNotIn: return !among;
      case Op::kExists: return has;
      case Op::kMissing: return !has;
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
      return Error{ErrorCode::kInvalid, "invalid field selector: \"" + std::string(part) + "\", expected path=value"};
    }
    const bool negated = part[equals - 1] == '!';
    auto value = part.substr(equals + 1);
    if (value.starts_with('=')) value.remove_prefix(1);
    selector.terms_.push_back({std::string(text::trim(part.substr(0, equals - (negated ? 1 : 0)))), std::string(text::trim(value)), !negated});
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
