// SPDX-License-Identifier: Apache-2.0
// Field numbers are those of openapi.v2.Document in gnostic's OpenAPIv2.proto; only what openapi_v2 writes is
// encoded.
#include <nlohmann/json.hpp>

#include "apiserver/schema/openapi.h"
#include "apiserver/schema/schema_node.h"
#include "apiserver/schema/wire.h"

namespace tidegate::apiserver::schema {
namespace {

std::string text_of(const Json& object, std::string_view key) { return std::string(word(object, key)); }

void add_text(WireWriter& out, int field, const Json& object, std::string_view key) {
  if (const auto text = word(object, key); !text.empty()) out.bytes(field, text);
}

std::string named(std::string_view name, std::string_view value) {
  WireWriter out;
  out.bytes(1, name);
  out.bytes(2, value);
  return out.text();
}

// Extensions travel as YAML text; JSON is YAML.
void add_extensions(WireWriter& out, int field, const Json& object) {
  for (const auto& [key, value] : object.items()) {
    if (!key.starts_with("x-")) continue;
    WireWriter any;
    any.bytes(2, json::dump(value) + "\n");
    out.bytes(field, named(key, any.text()));
  }
}

std::string schema_bytes(const Json& schema) {
  WireWriter out;
  add_text(out, 1, schema, "$ref");
  add_text(out, 2, schema, "format");
  add_text(out, 4, schema, "description");
  if (const Json* required = member(schema, "required"); required && required->is_array()) {
    for (const Json& name : *required) {
      if (name.is_string()) out.bytes(19, name.get_ref<const std::string&>());
    }
  }
  if (const Json* more = member(schema, "additionalProperties")) {
    WireWriter item;
    item.bytes(1, schema_bytes(*more));
    out.bytes(21, item.text());
  }
  if (const auto type = word(schema, "type"); !type.empty()) {
    WireWriter item;
    item.bytes(1, type);
    out.bytes(22, item.text());
  }
  if (const Json* items = member(schema, "items")) {
    WireWriter item;
    item.bytes(1, schema_bytes(*items));
    out.bytes(23, item.text());
  }
  if (const Json* properties = member(schema, "properties")) {
    WireWriter all;
    for (const auto& [key, child] : properties->items()) all.bytes(1, named(key, schema_bytes(child)));
    out.bytes(25, all.text());
  }
  add_extensions(out, 31, schema);
  return out.text();
}

std::string parameter_bytes(const Json& parameter) {
  const bool in_path = word(parameter, "in") == "path";
  WireWriter sub;
  sub.boolean(1, flag(parameter, "required"));
  sub.bytes(2, text_of(parameter, "in"));
  add_text(sub, 3, parameter, "description");
  sub.bytes(4, text_of(parameter, "name"));
  sub.bytes(in_path ? 5 : 6, text_of(parameter, "type"));
  WireWriter non_body, both, item;
  non_body.bytes(in_path ? 4 : 3, sub.text());
  both.bytes(2, non_body.text());
  item.bytes(1, both.text());
  return item.text();
}

std::string operation_bytes(const Json& operation) {
  WireWriter out;
  for (const Json& parameter : json::array_at(operation, "parameters"))
    out.bytes(8, parameter_bytes(parameter));
  WireWriter response, value, responses;
  response.bytes(1, "OK");
  value.bytes(1, response.text());
  responses.bytes(1, named("200", value.text()));
  out.bytes(9, responses.text());
  add_extensions(out, 13, operation);
  return out.text();
}

std::string path_bytes(const Json& path) {
  constexpr std::pair<const char*, int> kVerbs[] = {
      {"get", 2}, {"put", 3}, {"post", 4}, {"delete", 5}, {"patch", 8}};
  WireWriter out;
  for (const auto& [verb, field] : kVerbs) {
    if (const Json* operation = member(path, verb)) out.bytes(field, operation_bytes(*operation));
  }
  for (const Json& parameter : json::array_at(path, "parameters")) out.bytes(9, parameter_bytes(parameter));
  return out.text();
}

}  // namespace

std::string encode_openapi_v2(const Json& document) {
  WireWriter info, paths, definitions, out;
  info.bytes(1, json::string_at(document, "info.title"));
  info.bytes(2, json::string_at(document, "info.version"));
  for (const auto& [key, path] : json::object_at(document, "paths").items())
    paths.bytes(2, named(key, path_bytes(path)));
  for (const auto& [key, schema] : json::object_at(document, "definitions").items()) {
    definitions.bytes(1, named(key, schema_bytes(schema)));
  }
  out.bytes(1, "2.0");
  out.bytes(2, info.text());
  out.bytes(8, paths.text());
  out.bytes(9, definitions.text());
  return out.text();
}

}  // namespace tidegate::apiserver::schema
