// SPDX-License-Identifier: Apache-2.0
// OpenAPI v2 for clients before 1.29. It says less than v3: what v2 cannot express becomes a value of any
// type, since a client that validates by this document must not refuse what the server takes.
#include <nlohmann/json.hpp>

#include "apiserver/schema/builtin_types.h"
#include "apiserver/schema/discovery.h"
#include "apiserver/schema/openapi.h"
#include "apiserver/schema/schema_node.h"

namespace tidegate::apiserver::schema {
namespace {

constexpr const char* kKept[] = {"type", "format", "description", "required"};

Json to_v2(const Json& schema);

Json properties_to_v2(const Json& properties) {
  Json out = Json::object();
  for (const auto& [key, child] : properties.items()) out[key] = to_v2(child);
  return out;
}

Json to_v2(const Json& schema) {
  Json out = Json::object();
  const bool anything = flag(schema, "nullable") || flag(schema, "x-kubernetes-preserve-unknown-fields") ||
                        flag(schema, "x-kubernetes-int-or-string") ||
                        (word(schema, "type") == "array" && !item_schema(schema));
  if (const auto text = word(schema, "description"); !text.empty()) out["description"] = text;
  if (anything) return out;
  for (const char* key : kKept) {
    if (const Json* value = member(schema, key)) out[key] = *value;
  }
  for (const auto& [key, value] : schema.items()) {
    if (key.starts_with("x-kubernetes-") && key != "x-kubernetes-validations") out[key] = value;
  }
  if (const Json* properties = member(schema, "properties"); properties && properties->is_object()) {
    out["properties"] = properties_to_v2(*properties);
  }
  if (const Json* items = item_schema(schema)) out["items"] = to_v2(*items);
  if (const Json* more = member(schema, "additionalProperties"); more && more->is_object()) {
    out["additionalProperties"] = to_v2(*more);
  }
  return out;
}

Json kind_to_v2(const ResourceType& type, const Version& version) {
  Json schema = version.schema.is_object() ? to_v2(version.schema) : Json::object();
  // kubectl 1.20 needs a kind, not a value of any type, wherever it computes patches.
  schema["type"] = "object";
  if (!schema.contains("properties") && flag(version.schema, "x-kubernetes-preserve-unknown-fields")) {
    schema["properties"] = properties_to_v2(json::object_at(version.schema, "properties"));
  }
  Json& properties = schema["properties"];
  properties["apiVersion"] = {{"type", "string"}};
  properties["kind"] = {{"type", "string"}};
  properties["metadata"] = {{"$ref", std::string("#/definitions/") + kObjectMetaName}};
  schema["x-kubernetes-group-version-kind"] = Json::array({gvk(type, version.name)});
  return schema;
}

}  // namespace

Json openapi_v2(const Types& types) {
  Json definitions = Json::object(), paths = Json::object();
  definitions[kObjectMetaName] = to_v2(object_meta_schema());
  for (const auto& type : types) {
    for (const auto& version : type->versions) {
      if (!version.served) continue;
      definitions[schema_name(*type, version.name)] = kind_to_v2(*type, version);
      add_paths(paths, *type, version, OpenApi::kV2);
    }
  }
  return {{"swagger", "2.0"},
          {"info", openapi_info()},
          {"paths", std::move(paths)},
          {"definitions", std::move(definitions)}};
}

std::string openapi_v2_protobuf(const Types& types) { return encode_openapi_v2(openapi_v2(types)); }

}  // namespace tidegate::apiserver::schema
