// SPDX-License-Identifier: Apache-2.0
// The wording follows the Kubernetes API server.
#include "apiserver/schema/rules.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apiserver/schema/limits.h"
#include "apiserver/schema/schema_node.h"

namespace tidegate::apiserver::schema {
namespace {

// Of `now`, the item that `item` continues: the one with the same keys.
const Json* former_item(const Json* before, const Json& item, const std::vector<std::string>& keys) {
  if (!before || !before->is_array() || keys.empty()) return nullptr;
  const auto same = [&](const Json& other) {
    return std::all_of(keys.begin(), keys.end(), [&](const std::string& key) {
      const Json *left = member(item, key), *right = member(other, key);
      return left && right ? *left == *right : left == right;
    });
  };
  const auto found = std::find_if(before->begin(), before->end(), same);
  return found == before->end() ? nullptr : &*found;
}

class Inspector {
 public:
  // `before`: the value that this one continues, where one can be told. `same`: it stands in one that has not
  // changed.
  void node(const Rules& rules, const Json& schema, const Json& value, const Json* before, bool same,
            const std::string& path) {
    if (value.is_null() || full()) return;
    same = same || (before && *before == value);
    for (const Rule& rule : rules.own) {
      if (!full() && (rule.transition || !same)) ask(rule, schema, value, before, path);
    }
    const auto former = [&](const std::string& key) { return before ? member(*before, key) : nullptr; };
    for (const auto& [key, inner] : rules.properties) {
      const Json *child = member(value, key), *known = child_schema(schema, key);
      if (child && known) node(inner, *known, *child, former(key), same, field_path(path, key));
    }
    if (rules.items && value.is_array()) items(*rules.items, schema, value, before, same, path);
    if (rules.values && value.is_object()) {
      for (const auto& [key, child] : value.get_ref<const Json::object_t&>()) {
        const Json* known = child_schema(schema, key);
        if (known) node(*rules.values, *known, child, former(key), same, path + "[" + key + "]");
      }
    }
  }
  std::vector<FieldError> take() { return std::move(errors_); }

 private:
  bool full() const { return errors_.size() >= kMaxFieldErrors || budget_.exhausted(); }

  void items(const Rules& rules, const Json& schema, const Json& value, const Json* before, bool same,
             const std::string& path) {
    const Json* known = item_schema(schema);
    const auto keys = list_map_keys(schema);
    for (std::size_t i = 0; known && i < value.size() && !full(); ++i) {
      const Json* former =
          list_type(schema) == ListType::kMap ? former_item(before, value[i], keys) : nullptr;
      node(rules, *known, value[i], former, same, field_path(path, i));
    }
  }

  void ask(const Rule& rule, const Json& schema, const Json& value, const Json* before,
           const std::string& path) {
    if (rule.transition && !before && !rule.optional_old_self) return;
    cel::List variables = {cel::from_json(value, &schema)};
    cel::Value old = before ? cel::from_json(*before, &schema) : cel::Value();
    if (rule.optional_old_self) old = before ? cel::Value::some(std::move(old)) : cel::Value::none();
    variables.push_back(std::move(old));
    cel::Budget budget(std::min(cel::kMaxRuleSteps, budget_.left()));
    const auto granted = budget.left();
    const cel::Value answer = rule.program.run(variables, budget);
    budget_.spend(granted - budget.left());
    if (budget.exhausted()) {
      budget_.spend(budget_.left() + 1);
      return add(
          rule, schema, path,
          "call cost exceeds limit for rule: " + rule.text + ", no further validation rules will be run");
    }
    if (answer.failed()) {
      return add(rule, schema, path,
                 answer.as<cel::Failure>().what +
                     " evaluating rule: " + (rule.message.empty() ? rule.text : rule.message));
    }
    const bool* kept = answer.if_a<bool>();
    if (!kept) return add(rule, schema, path, "rule did not evaluate to a bool: " + rule.text);
    if (!*kept) add(rule, schema, path, message(rule, variables), rule.reason);
  }

  // An expression that fails, or says nothing, or more than a line, gives way to the message.
  static std::string message(const Rule& rule, const cel::List& variables) {
    if (rule.message_expression) {
      cel::Budget budget(cel::kMaxRuleSteps);
      const cel::Value said = rule.message_expression->run(variables, budget);
      const auto* text = said.if_a<std::string>();
      const bool usable = text && text->find_first_not_of(" \t") != std::string::npos &&
                          text->find_first_of("\r\n") == std::string::npos && text->size() <= kMaxRuleMessage;
      if (usable && !budget.exhausted()) return *text;
    }
    return rule.message.empty() ? "failed rule: " + rule.text : rule.message;
  }

  void add(const Rule& rule, const Json& schema, const std::string& path, const std::string& what,
           std::string_view reason = "FieldValueInvalid") {
    const std::string type = "\"" + std::string(word(schema, "type")) + "\"";
    std::string text = "Invalid value: " + type + ": " + what;
    if (reason == "FieldValueForbidden") text = "Forbidden: " + what;
    if (reason == "FieldValueRequired") text = "Required value: " + what;
    if (reason == "FieldValueDuplicate") text = "Duplicate value: " + type;
    std::string field = path + rule.at;
    if (field.starts_with('.')) field.erase(0, 1);
    errors_.push_back({field.empty() ? "<nil>" : std::move(field), std::string(reason), std::move(text)});
  }

  std::vector<FieldError> errors_;
  cel::Budget budget_{cel::kMaxObjectSteps};
};

}  // namespace

std::vector<FieldError> broken_rules(const Rules& rules, const Json& schema, const Json& object,
                                     const Json* before) {
  Inspector inspector;
  inspector.node(rules, schema, object, before, false, "");
  return inspector.take();
}

std::optional<FieldError> rules_not_checked(const std::vector<FieldError>& errors) {
  const bool blocked = std::any_of(errors.begin(), errors.end(), [](const FieldError& error) {
    return error.reason == "FieldValueRequired" || error.reason == "FieldValueTypeInvalid" ||
           error.reason == "FieldValueTooLong" || error.reason == "FieldValueTooMany";
  });
  if (!blocked) return std::nullopt;
  return FieldError{
      "<nil>", "FieldValueInvalid",
      "Invalid value: \"null\": some validation rules were not checked because the object was invalid; "
      "correct the existing errors to complete validation"};
}

}  // namespace tidegate::apiserver::schema
