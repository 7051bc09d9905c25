// SPDX-License-Identifier: Apache-2.0
#include "base/json_path.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/text.h"

namespace tidegate::json {
namespace {

struct Filter {
  std::vector<std::string> path;  // below @
  std::string op;                 // "" asks only whether the path is there
  Json operand;
};

struct Step {
  enum class Kind { kKey, kIndex, kAll, kFilter };
  Kind kind = Kind::kAll;
  std::string key;
  std::int64_t index = 0;
  Filter filter;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), whole_(text) {}

  Result<std::vector<Step>> parse() {
    if (text_.starts_with('{') && text_.ends_with('}')) text_ = text_.substr(1, text_.size() - 2);
    if (!text_.empty() && (text_[0] == '$' || text_[0] == '@')) text_.remove_prefix(1);
    std::vector<Step> steps;
    while (!text_.empty()) {
      if (steps.size() >= kMaxPathParts) return Error{ErrorCode::kLimit, "json path has too many parts"};
      auto step = next(steps.empty());
      if (!step) return step.error();
      steps.push_back(std::move(*step));
    }
    return steps;
  }

 private:
  Error wrong(std::string_view what) const {
    return {ErrorCode::kInvalid, "json path \"" + std::string(whole_) + "\": " + std::string(what)};
  }
  bool take(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  void spaces() {
    while (take(" ")) {
    }
  }

  Result<Step> next(bool first) {
    if (take("[")) return bracket();
    if (!take(".") && !first) return wrong("expected . or [");
    if (text_.starts_with('.')) return wrong("recursive descent is not supported");
    if (text_.starts_with('[')) return next(false);
    if (take("*")) return Step{.kind = Step::Kind::kAll};
    const std::string key = name();
    if (key.empty()) return wrong("expected a field name");
    return Step{.kind = Step::Kind::kKey, .key = key};
  }

  // A bare name; a backslash keeps the dot or bracket after it.
  std::string name() {
    std::string out;
    while (!text_.empty() && text_[0] != '.' && text_[0] != '[') {
      if (text_[0] == '\\' && text_.size() > 1) text_.remove_prefix(1);
      out += text_[0];
      text_.remove_prefix(1);
    }
    return out;
  }

  Result<Step> bracket() {
    if (take("*]")) return Step{.kind = Step::Kind::kAll};
    if (take("?(")) return filter();
    if (text_.starts_with('\'') || text_.starts_with('"')) {
      const auto key = quoted_text();
      if (!key || !take("]")) return wrong("expected ['name']");
      return Step{.kind = Step::Kind::kKey, .key = *key};
    }
    const auto end = text_.find(']');
    const auto index = text::parse_int(text_.substr(0, end));
    if (end == std::string_view::npos || !index)
      return wrong("expected an index, *, a name or a filter in []");
    text_.remove_prefix(end + 1);
    return Step{.kind = Step::Kind::kIndex, .index = *index};
  }

  std::optional<std::string> quoted_text() {
    const char quote = text_[0];
    const auto end = text_.find(quote, 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string out(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return out;
  }

  Result<Step> filter() {
    spaces();
    if (!take("@")) return wrong("a filter must begin with @");
    Step step{.kind = Step::Kind::kFilter};
    while (text_.starts_with('.') || text_.starts_with('[')) {
      if (step.filter.path.size() >= kMaxPathParts) return wrong("filter has too many parts");
      auto part = filter_part();
      if (!part) return part.error();
      step.filter.path.push_back(std::move(*part));
    }
    spaces();
    for (const std::string_view op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (take(op)) {
        step.filter.op = op;
        break;
      }
    }
    spaces();
    if (!step.filter.op.empty()) {
      auto operand = literal();
      if (!operand) return wrong("expected a text, number or boolean after " + step.filter.op);
      step.filter.operand = std::move(*operand);
    }
    spaces();
    if (!take(")]")) return wrong("expected )] after a filter");
    return step;
  }

  Result<std::string> filter_part() {
    if (take("[")) {
      if (!text_.starts_with('\'') && !text_.starts_with('"')) return wrong("expected ['name'] in a filter");
      auto key = quoted_text();
      if (!key || !take("]")) return wrong("expected ['name'] in a filter");
      return std::move(*key);
    }
    text_.remove_prefix(1);
    const auto end = text_.find_first_of(".[=!<>) ");
    std::string out(text_.substr(0, end));
    text_.remove_prefix(out.size());
    if (out.empty()) return wrong("expected a field name in a filter");
    return out;
  }

  std::optional<Json> literal() {
    if (text_.starts_with('\'') || text_.starts_with('"')) {
      auto value = quoted_text();
      return value ? std::optional<Json>(std::move(*value)) : std::nullopt;
    }
    const auto end = text_.find_first_of(" )");
    const std::string_view token = text_.substr(0, end);
    text_.remove_prefix(token.size());
    if (token == "true" || token == "false") return Json(token == "true");
    if (const auto integer = text::parse_int(token)) return Json(*integer);
    if (const auto number = text::parse_double(token)) return Json(*number);
    return std::nullopt;
  }

  std::string_view text_, whole_;
};

// Keys may hold dots, which find() would take for a path.
const Json* member(const Json& value, const std::string& key) {
  if (!value.is_object()) return nullptr;
  const auto at = value.find(key);
  return at == value.end() ? nullptr : &*at;
}

bool passes(const Json& item, const Filter& filter) {
  const Json* value = &item;
  for (const auto& key : filter.path) {
    value = member(*value, key);
    if (!value) return false;
  }
  if (filter.op.empty()) return true;
  if (filter.op == "==") return *value == filter.operand;
  if (filter.op == "!=") return *value != filter.operand;
  const bool comparable = (value->is_number() && filter.operand.is_number()) ||
                          (value->is_string() && filter.operand.is_string());
  if (!comparable) return false;
  if (filter.op == "<") return *value < filter.operand;
  if (filter.op == ">") return *value > filter.operand;
  if (filter.op == "<=") return *value <= filter.operand;
  return *value >= filter.operand;
}

void advance(const Json& value, const Step& step, std::vector<const Json*>& out) {
  switch (step.kind) {
    case Step::Kind::kKey:
      if (const Json* child = member(value, step.key)) out.push_back(child);
      return;
    case Step::Kind::kIndex: {
      if (!value.is_array()) return;
      const auto size = static_cast<std::int64_t>(value.size());
      const std::int64_t at = step.index < 0 ? size + step.index : step.index;
      if (at >= 0 && at < size) out.push_back(&value[static_cast<std::size_t>(at)]);
      return;
    }
    case Step::Kind::kAll:
      if (!value.is_structured()) return;
      for (const Json& child : value) out.push_back(&child);
      return;
    case Step::Kind::kFilter:
      if (!value.is_array()) return;
      for (const Json& child : value) {
        if (passes(child, step.filter)) out.push_back(&child);
      }
      return;
  }
}

}  // namespace

Result<std::vector<Json>> select(const Json& value, std::string_view path) {
  auto steps = Parser(path).parse();
  if (!steps) return steps.error();
  std::vector<const Json*> at = {&value};
  for (const Step& step : *steps) {
    std::vector<const Json*> next;
    for (const Json* one : at) {
      advance(*one, step, next);
      if (next.size() > kMaxPathResults)
        return Error{ErrorCode::kLimit, "json path \"" + std::string(path) + "\" has too many results"};
    }
    at = std::move(next);
  }
  std::vector<Json> out;
  out.reserve(at.size());
  for (const Json* one : at) out.push_back(*one);
  return out;
}

}  // namespace tidegate::json
