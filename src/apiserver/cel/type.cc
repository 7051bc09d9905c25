// SPDX-License-Identifier: Apache-2.0
#include "apiserver/cel/type.h"

#include <nlohmann/json.hpp>

#include "apiserver/schema/schema_node.h"

namespace tidegate::apiserver::cel {
namespace {

struct Escape {
  std::string_view written, meant;
};
constexpr Escape kEscapes[] = {
    {"__underscores__", "__"}, {"__dot__", "."}, {"__dash__", "-"}, {"__slash__", "/"}};
// What cannot be a name in CEL is written with underscores around it.
constexpr std::string_view kReserved[] = {"true",   "false",    "null", "in",      "as",        "break",
                                          "const",  "continue", "else", "for",     "function",  "if",
                                          "import", "let",      "loop", "package", "namespace", "return",
                                          "var",    "void",     "while"};

std::string unescape(std::string_view name) {
  for (const auto word : kReserved) {
    if (name.size() == word.size() + 4 && name.starts_with("__") && name.ends_with("__") &&
        name.substr(2, word.size()) == word)
      return std::string(word);
  }
  std::string out;
  while (!name.empty()) {
    const Escape* found = nullptr;
    for (const Escape& escape : kEscapes) {
      if (name.starts_with(escape.written)) found = &escape;
    }
    out += found ? found->meant : name.substr(0, 1);
    name.remove_prefix(found ? found->written.size() : 1);
  }
  return out;
}

// All that rules see of metadata.
const Json& metadata_schema() {
  static const Json kSchema = {
      {"type", "object"},
      {"properties", {{"name", {{"type", "string"}}}, {"generateName", {{"type", "string"}}}}}};
  return kSchema;
}

std::optional<Type> declared_object(const Json& schema, bool root) {
  const Json* additional = schema::member(schema, "additionalProperties");
  if (!root && additional && additional->is_object()) {
    auto value = declared_type(*additional, false);
    if (!value) return std::nullopt;
    return Type{kMap, {Type{kString}, std::move(*value)}};
  }
  return Type{kObject, {}, &schema, root};
}

Type take_type(std::string_view& text) {
  Type type{text.front()};
  text.remove_prefix(1);
  if (type.kind == kList || type.kind == kOptional) type.of = {take_type(text)};
  if (type.kind == kMap) {
    Type key = take_type(text);
    type.of = {std::move(key), take_type(text)};
  }
  return type;
}

bool is_number(char kind) { return kind == kInt || kind == kUint || kind == kDouble; }

}  // namespace

std::string to_string(const Type& type) {
  if (type.kind == kList || type.kind == kOptional) {
    return std::string(kind_name(static_cast<Kind>(type.kind))) + "(" + to_string(type.of[0]) + ")";
  }
  if (type.kind == kMap) return "map(" + to_string(type.of[0]) + ", " + to_string(type.of[1]) + ")";
  return std::string(kind_name(static_cast<Kind>(type.kind)));
}

std::optional<Type> declared_type(const Json& schema, bool root) {
  if (root) return declared_object(schema, true);
  if (schema::flag(schema, "x-kubernetes-int-or-string")) return Type{kDyn};
  const std::string_view type = schema::word(schema, "type"), format = schema::word(schema, "format");
  if (type == "boolean") return Type{kBool};
  if (type == "integer") return Type{kInt};
  if (type == "number") return Type{kDouble};
  if (type == "object")
    return declared_object(schema, schema::flag(schema, "x-kubernetes-embedded-resource"));
  if (type == "string") {
    if (format == "byte") return Type{kBytes};
    if (format == "date" || format == "date-time") return Type{kTimestamp};
    return Type{format == "duration" ? kDuration : kString};
  }
  const Json* items = type == "array" ? schema::item_schema(schema) : nullptr;
  auto item = items ? declared_type(*items, false) : std::nullopt;
  if (!item) return std::nullopt;
  return Type{kList, {std::move(*item)}};
}

std::optional<Type> field_type(const Type& object, std::string_view name, std::string& key) {
  key = unescape(name);
  if (object.root) {
    if (key == "metadata") return declared_type(metadata_schema(), false);
    if (key == "apiVersion" || key == "kind") return Type{kString};
  }
  const Json* properties = object.schema ? schema::member(*object.schema, "properties") : nullptr;
  const Json* field = properties ? schema::member(*properties, key) : nullptr;
  return field ? declared_type(*field, false) : std::nullopt;
}

Signature parse_signature(std::string_view text) {
  Signature signature;
  while (text.front() != '>') signature.parameters.push_back(take_type(text));
  text.remove_prefix(1);
  signature.result = take_type(text);
  return signature;
}

bool accepts(const Type& pattern, const Type& type, Bindings& bindings) {
  if (pattern.kind == 'A' || pattern.kind == 'B') {
    auto& bound = bindings[pattern.kind - 'A'];
    if (!bound || bound->is_dyn() || bound->kind == kNull) {
      bound = type;
      return true;
    }
    Bindings none;
    const Type copy = *bound;  // bound types hold no parameters, so that the recursion binds nothing
    return accepts(copy, type, none);
  }
  if (pattern.is_dyn() || type.is_dyn() || type.kind == kNull || pattern.kind == kNull) return true;
  if (pattern.kind == '#') return is_number(type.kind);
  if (pattern.kind != type.kind) return false;
  for (std::size_t i = 0; i < pattern.of.size(); ++i) {
    if (!accepts(pattern.of[i], type.of[i], bindings)) return false;
  }
  return true;
}

Type substitute(const Type& pattern, const Bindings& bindings) {
  if (pattern.kind == 'A' || pattern.kind == 'B') return bindings[pattern.kind - 'A'].value_or(Type{});
  Type out = pattern;
  for (Type& part : out.of) part = substitute(part, bindings);
  return out;
}

Type join(const Type& a, const Type& b) {
  if (a.kind == kNull) return b;
  if (b.kind == kNull) return a;
  if (a.kind != b.kind) return {};
  if (a.kind == kObject) return a.schema == b.schema ? a : Type{};
  Type out = a;
  for (std::size_t i = 0; i < out.of.size(); ++i) out.of[i] = join(a.of[i], b.of[i]);
  return out;
}

}  // namespace tidegate::apiserver::cel
