// SPDX-License-Identifier: Apache-2.0
// Validation of documents against structural schemas. The wording follows the Kubernetes API server, since
// people and test suites know it.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "apiserver/schema/builtin_types.h"
#include "apiserver/schema/formats.h"
#include "apiserver/schema/limits.h"
#include "apiserver/schema/schema_node.h"
#include "apiserver/schema/structural.h"

namespace tidegate::apiserver::schema {
namespace {

class Validator {
 public:
  std::vector<FieldError> take() { return std::move(errors_); }

  void root(const Json& object, const Json& schema) {
    if (!object.is_object()) return invalid_type("", object, "object");
    if (const Json* metadata = member(object, "metadata")) node(*metadata, object_meta_schema(), "metadata");
    node(object, schema, "");
  }

  void node(const Json& value, const Json& schema, const std::string& path) {
    if (full() || !schema.is_object()) return;
    if (value.is_null() && flag(schema, "nullable")) return;
    if (!types(value, schema, path)) return;
    enumeration(value, schema, path);
    if (const auto format = word(schema, "format"); !format.empty() && !has_format(value, format)) {
      invalid(path, value,
              in_body(path) + " must be of type " + std::string(format) + ": " + json::dump(value));
    }
    if (value.is_string()) string(value, schema, path);
    if (value.is_number()) number(value, schema, path);
    if (value.is_array()) array(value, schema, path);
    if (value.is_object()) object(value, schema, path);
    combinations(value, schema, path);
  }

 private:
  bool full() const { return errors_.size() >= kMaxFieldErrors; }
  static std::string in_body(const std::string& path) { return path + " in body"; }
  // Whole numbers of schemas may be written 1.0; they print as integers.
  static std::string bound(const Json& limit) {
    const double number = limit.get<double>();
    return limit.is_number_float() && has_type(limit, "integer")
               ? std::to_string(static_cast<std::int64_t>(number))
               : json::dump(limit);
  }

  void add(const std::string& path, const char* reason, std::string message) {
    if (!full()) errors_.push_back({path, reason, std::move(message)});
  }
  void invalid(const std::string& path, const Json& value, const std::string& what) {
    add(path, "FieldValueInvalid", "Invalid value: " + json::dump(value) + ": " + what);
  }
  void invalid_type(const std::string& path, const Json& value, std::string_view type) {
    const std::string got = "\"" + std::string(type_name(value)) + "\"";
    add(path, "FieldValueTypeInvalid",
        "Invalid value: " + got + ": " + in_body(path) + " must be of type " + std::string(type) + ": " +
            got);
  }

  bool types(const Json& value, const Json& schema, const std::string& path) {
    if (flag(schema, "x-kubernetes-int-or-string")) {
      if (value.is_string() || has_type(value, "integer")) return true;
      invalid_type(path, value, "integer,string");
      return false;
    }
    const std::string_view type = word(schema, "type");
    if (type.empty() || has_type(value, type)) return true;
    invalid_type(path, value, type);
    return false;
  }

  void enumeration(const Json& value, const Json& schema, const std::string& path) {
    const Json* allowed = member(schema, "enum");
    if (!allowed || !allowed->is_array()) return;
    std::string names;
    for (const Json& one : *allowed) {
      if (one == value) return;
      const std::string text = one.is_string() ? one.get<std::string>() : json::dump(one);
      names += (names.empty() ? "\"" : ", \"") + text + "\"";
    }
    add(path, "FieldValueNotSupported",
        "Unsupported value: " + json::dump(value) + ": supported values: " + names);
  }

  // The bound of that name where the schema has it and `breaks` says that it does not hold.
  template <typename Breaks>
  const Json* broken(const Json& schema, const char* keyword, Breaks breaks) {
    const Json* limit = member(schema, keyword);
    return limit && limit->is_number() && breaks(limit->get<double>()) ? limit : nullptr;
  }

  void string(const Json& value, const Json& schema, const std::string& path) {
    const auto& text = value.get_ref<const std::string&>();
    const auto length = static_cast<double>(utf8_length(text));
    if (const Json* limit = broken(schema, "maxLength", [&](double max) { return length > max; })) {
      add(path, "FieldValueTooLong", "Too long: may not be more than " + bound(*limit) + " bytes");
    }
    if (const Json* limit = broken(schema, "minLength", [&](double min) { return length < min; })) {
      invalid(path, value, in_body(path) + " should be at least " + bound(*limit) + " chars long");
    }
    const std::string_view pattern = word(schema, "pattern");
    if (!pattern.empty() && !matches_pattern(text, pattern)) {
      invalid(path, value, in_body(path) + " should match '" + std::string(pattern) + "'");
    }
  }

  void number(const Json& value, const Json& schema, const std::string& path) {
    const double n = value.get<double>();
    const bool open_above = flag(schema, "exclusiveMaximum"), open_below = flag(schema, "exclusiveMinimum");
    const auto above = [&](double max) { return open_above ? n >= max : n > max; };
    const auto below = [&](double min) { return open_below ? n <= min : n < min; };
    if (const Json* limit = broken(schema, "maximum", above)) {
      invalid(path, value,
              in_body(path) + " should be less than " + (open_above ? "" : "or equal to ") + bound(*limit));
    }
    if (const Json* limit = broken(schema, "minimum", below)) {
      invalid(
          path, value,
          in_body(path) + " should be greater than " + (open_below ? "" : "or equal to ") + bound(*limit));
    }
    const auto uneven = [&](double step) { return step > 0 && std::fmod(n, step) != 0; };
    if (const Json* step = broken(schema, "multipleOf", uneven)) {
      invalid(path, value, in_body(path) + " should be a multiple of " + bound(*step));
    }
  }

  void array(const Json& value, const Json& schema, const std::string& path) {
    const auto size = static_cast<double>(value.size());
    if (const Json* limit = broken(schema, "maxItems", [&](double max) { return size > max; })) {
      add(path, "FieldValueTooMany",
          "Too many: " + std::to_string(value.size()) + ": must have at most " + bound(*limit) + " items");
    }
    if (const Json* limit = broken(schema, "minItems", [&](double min) { return size < min; })) {
      add(path, "FieldValueInvalid",
          "Invalid value: " + std::to_string(value.size()) + ": " + in_body(path) + " should have at least " +
              bound(*limit) + " items");
    }
    if (const Json* items = item_schema(schema)) {
      for (std::size_t i = 0; i < value.size() && !full(); ++i) node(value[i], *items, field_path(path, i));
    }
    duplicates(value, schema, path);
  }

  void duplicates(const Json& value, const Json& schema, const std::string& path) {
    const ListType type = list_type(schema);
    const bool unique = type == ListType::kSet || flag(schema, "uniqueItems");
    if (!unique && type != ListType::kMap) return;
    const auto keys = list_map_keys(schema);
    std::set<std::string> seen;
    for (std::size_t i = 0; i < value.size(); ++i) {
      Json identity = value[i];
      if (type == ListType::kMap) {
        identity = Json::object();
        for (const auto& key : keys) {
          if (const Json* part = member(value[i], key)) identity[key] = *part;
        }
      }
      if (!seen.insert(json::dump(identity)).second) {
        add(field_path(path, i), "FieldValueDuplicate", "Duplicate value: " + json::dump(identity));
      }
    }
  }

  void object(const Json& value, const Json& schema, const std::string& path) {
    if (const Json* names = member(schema, "required"); names && names->is_array()) {
      for (const Json& name : *names) {
        if (name.is_string() && !member(value, name.get_ref<const std::string&>())) {
          add(field_path(path, name.get_ref<const std::string&>()), "FieldValueRequired", "Required value");
        }
      }
    }
    const auto size = static_cast<double>(value.size());
    if (const Json* limit = broken(schema, "maxProperties", [&](double max) { return size > max; })) {
      add(path, "FieldValueTooMany",
          "Too many: " + std::to_string(value.size()) + ": must have at most " + bound(*limit) + " items");
    }
    if (const Json* limit = broken(schema, "minProperties", [&](double min) { return size < min; })) {
      invalid(path, value, in_body(path) + " should have at least " + bound(*limit) + " properties");
    }
    for (const auto& [key, child] : value.get_ref<const Json::object_t&>()) {
      if (const Json* known = child_schema(schema, key)) node(child, *known, field_path(path, key));
    }
  }

  bool passes(const Json& value, const Json& schema, const std::string& path) {
    Validator inner;
    inner.node(value, schema, path);
    return inner.errors_.empty();
  }

  int passing(const Json& value, const Json& schemas, const std::string& path) {
    int count = 0;
    for (const Json& schema : schemas) count += passes(value, schema, path) ? 1 : 0;
    return count;
  }

  void combinations(const Json& value, const Json& schema, const std::string& path) {
    const std::string name = "\"" + path + "\"";
    if (const Json* all = member(schema, "allOf")) {
      for (const Json& one : *all) node(value, one, path);
    }
    if (const Json* any = member(schema, "anyOf"); any && passing(value, *any, path) == 0) {
      invalid(path, value, name + " must validate at least one schema (anyOf)");
    }
    if (const Json* one = member(schema, "oneOf")) {
      if (const int count = passing(value, *one, path); count != 1) {
        invalid(path, value,
                name + " must validate one and only one schema (oneOf). Found " +
                    (count == 0 ? "none" : std::to_string(count)) + " valid");
      }
    }
    if (const Json* no = member(schema, "not"); no && passes(value, *no, path)) {
      invalid(path, value, name + " must not validate the schema (not)");
    }
  }

  std::vector<FieldError> errors_;
};

constexpr std::string_view kTypes[] = {"string", "integer", "number", "boolean", "object", "array"};
constexpr const char* kSchemaLists[] = {"allOf", "anyOf", "oneOf"};

void check_node(const Json& schema, const std::string& path, std::vector<FieldError>& errors) {
  if (errors.size() >= kMaxFieldErrors) return;
  const auto wrong = [&](const char* key, const std::string& what) {
    errors.push_back({field_path(path, key), "FieldValueInvalid", "Invalid value: " + what});
  };
  if (!schema.is_object()) {
    errors.push_back({path, "FieldValueTypeInvalid", "Invalid value: a schema must be an object"});
    return;
  }
  const std::string_view type = word(schema, "type");
  if (!type.empty() && std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes)) {
    wrong("type", "\"" + std::string(type) + "\": must be string, integer, number, boolean, object or array");
  }
  if (const auto pattern = word(schema, "pattern"); !is_pattern(pattern)) {
    wrong("pattern", "\"" + std::string(pattern) + "\": must be a valid regular expression (RE2)");
  }
  if (const Json* properties = member(schema, "properties")) {
    if (!properties->is_object()) return wrong("properties", "must be an object of schemas");
    for (const auto& [key, child] : properties->items()) {
      check_node(child, field_path(path, "properties[" + key + "]"), errors);
    }
  }
  if (const Json* items = member(schema, "items")) check_node(*items, field_path(path, "items"), errors);
  if (const Json* additional = member(schema, "additionalProperties");
      additional && !additional->is_boolean()) {
    check_node(*additional, field_path(path, "additionalProperties"), errors);
  }
  if (const Json* no = member(schema, "not")) check_node(*no, field_path(path, "not"), errors);
  for (const char* key : kSchemaLists) {
    const Json* list = member(schema, key);
    if (list && !list->is_array()) return wrong(key, "must be a list of schemas");
    for (std::size_t i = 0; list && i < list->size(); ++i) {
      check_node((*list)[i], field_path(field_path(path, key), i), errors);
    }
  }
}

}  // namespace

std::vector<FieldError> validate(const Json& object, const Json& schema) {
  Validator validator;
  validator.root(object, schema);
  return validator.take();
}

std::vector<FieldError> check_schema(const Json& schema, const std::string& field) {
  std::vector<FieldError> errors;
  check_node(schema, field, errors);
  return errors;
}

}  // namespace tidegate::apiserver::schema
