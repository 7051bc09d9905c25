// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>

#include "apiserver/schema/limits.h"
#include "apiserver/schema/rules.h"
#include "apiserver/schema/schema_node.h"

namespace tidegate::apiserver::schema {
namespace {

constexpr std::string_view kReasons[] = {"FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired",
                                         "FieldValueDuplicate"};

// Takes ".name" or "['name']" off the front of a path.
std::optional<std::string> take_part(std::string_view& path) {
  std::string_view part;
  if (path.starts_with("['")) {
    const auto end = path.find("']");
    if (end == std::string_view::npos) return std::nullopt;
    part = path.substr(2, end - 2);
    path.remove_prefix(end + 2);
  } else if (path.starts_with('.')) {
    path.remove_prefix(1);
    part = path.substr(0, path.find_first_of(".["));
    path.remove_prefix(part.size());
  }
  return part.empty() ? std::nullopt : std::optional<std::string>(part);
}

bool leads_somewhere(std::string_view path, const Json& schema) {
  const Json* at = &schema;
  while (!path.empty()) {
    const auto part = take_part(path);
    at = part ? child_schema(*at, *part) : nullptr;
    if (!at) return false;
  }
  return at != &schema;
}

class Compiler {
 public:
  // `correlated`: whether a value of before can be told for each value now, as oldSelf needs it.
  Rules node(const Json& schema, const std::string& field, bool root, bool correlated) {
    Rules rules;
    if (error_ || !schema.is_object()) return rules;
    if (const Json* list = member(schema, "x-kubernetes-validations"))
      own(*list, schema, field, root, correlated, rules);
    if (const Json* properties = member(schema, "properties"); properties && properties->is_object()) {
      for (const auto& [key, child] : properties->items()) {
        Rules inner = node(child, field_path(field, "properties[" + key + "]"), false, correlated);
        if (!inner.empty()) rules.properties.emplace(key, std::move(inner));
      }
    }
    const bool by_key = correlated && list_type(schema) == ListType::kMap;
    rules.items = child(item_schema(schema), field_path(field, "items"), by_key);
    const Json* additional = member(schema, "additionalProperties");
    rules.values = child(additional && additional->is_object() ? additional : nullptr,
                         field_path(field, "additionalProperties"), correlated);
    return rules;
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::unique_ptr<Rules> child(const Json* schema, const std::string& field, bool correlated) {
    if (!schema) return nullptr;
    Rules inner = node(*schema, field, false, correlated);
    return inner.empty() ? nullptr : std::make_unique<Rules>(std::move(inner));
  }

  void wrong(const std::string& field, const std::string& what) {
    if (!error_) error_ = Error{ErrorCode::kInvalid, field + ": " + what};
  }
  void invalid(const std::string& field, std::string_view value, const std::string& what) {
    wrong(field, "Invalid value: " + json::dump(Json(value)) + ": " + what);
  }

  void own(const Json& list, const Json& schema, const std::string& field, bool root, bool correlated,
           Rules& rules) {
    const std::string path = field_path(field, "x-kubernetes-validations");
    if (!list.is_array()) return wrong(path, "Invalid value: must be a list of rules");
    if ((compiled_ += list.size()) > kMaxRules)
      return wrong(path, "Too many: a schema must have at most " + std::to_string(kMaxRules) + " rules");
    const auto type = cel::declared_type(schema, root);
    if (!type && !list.empty()) return wrong(path, "Invalid value: rules need a schema with a type");
    for (std::size_t i = 0; i < list.size() && !error_; ++i) {
      auto compiled = rule(list[i], *type, schema, field_path(path, i), correlated);
      if (compiled) rules.own.push_back(std::move(*compiled));
    }
  }

  std::optional<Rule> rule(const Json& given, const cel::Type& type, const Json& schema,
                           const std::string& field, bool correlated) {
    const std::string text = json::string_at(given, "rule");
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
      wrong(field_path(field, "rule"), "Required value: rule is not specified");
      return std::nullopt;
    }
    const bool optional = json::bool_at(given, "optionalOldSelf");
    const std::vector<cel::Variable> variables = {
        {"self", type}, {"oldSelf", optional ? cel::Type{cel::kOptional, {type}} : type}};
    auto program = cel::Program::compile(text, variables, cel::kBool);
    if (!program) {
      invalid(field_path(field, "rule"), text, "compilation failed: " + program.error().detail);
      return std::nullopt;
    }
    const bool transition = program->uses(1);
    if (transition && !correlated) {
      invalid(field_path(field, "rule"), text,
              "oldSelf cannot be used on the uncorrelatable portion of the schema: below lists that are not "
              "of type map");
      return std::nullopt;
    }
    Rule out{std::move(*program),
             text,
             json::string_at(given, "message"),
             json::string_at(given, "reason", kReasons[0]),
             std::nullopt,
             json::string_at(given, "fieldPath"),
             optional,
             transition};
    details(given, variables, schema, field, out);
    return error_ ? std::nullopt : std::optional<Rule>(std::move(out));
  }

  void details(const Json& given, const std::vector<cel::Variable>& variables, const Json& schema,
               const std::string& field, Rule& out) {
    if (out.message.find_first_of("\r\n") != std::string::npos)
      return invalid(field_path(field, "message"), out.message, "message must not contain line breaks");
    if (std::find(std::begin(kReasons), std::end(kReasons), out.reason) == std::end(kReasons)) {
      return wrong(
          field_path(field, "reason"),
          "Unsupported value: " + json::dump(Json(out.reason)) +
              ": supported values: \"FieldValueInvalid\", \"FieldValueForbidden\", \"FieldValueRequired\", "
              "\"FieldValueDuplicate\"");
    }
    if (!out.at.empty() && !leads_somewhere(out.at, schema))
      return invalid(field_path(field, "fieldPath"), out.at, "fieldPath must be a valid path in the schema");
    const std::string expression = json::string_at(given, "messageExpression");
    if (expression.empty()) return;
    auto compiled = cel::Program::compile(expression, variables, cel::kString);
    if (!compiled) {
      return invalid(field_path(field, "messageExpression"), expression,
                     "messageExpression compilation failed: " + compiled.error().detail);
    }
    out.message_expression = std::move(*compiled);
  }

  std::optional<Error> error_;
  std::size_t compiled_ = 0;
};

}  // namespace

Result<RulesPtr> compile_rules(const Json& schema, const std::string& field) {
  Compiler compiler;
  Rules rules = compiler.node(schema, field, true, true);
  if (compiler.error()) return *compiler.error();
  if (rules.empty()) return RulesPtr();
  return RulesPtr(std::make_shared<const Rules>(std::move(rules)));
}

}  // namespace tidegate::apiserver::schema
