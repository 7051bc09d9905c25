// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "apiserver/schema/builtin_types.h"
#include "apiserver/schema/discovery.h"
#include "apiserver/schema/openapi.h"
#include "apiserver/schema/schema_node.h"
#include "apiserver/schema/version_order.h"
#include "base/text.h"

namespace tidegate::apiserver::schema {
namespace {

// Our own marks are nobody's business; everything else is OpenAPI already.
void clean(Json& schema) {
  if (!schema.is_structured()) return;
  if (schema.is_object()) {
    schema.erase("x-tidegate-drop-nulls");
    if (flag(schema, "x-kubernetes-int-or-string") && !schema.contains("anyOf")) {
      schema["anyOf"] = {{{"type", "integer"}}, {{"type", "string"}}};
    }
  }
  for (Json& child : schema) clean(child);
}

Json described(const char* type, const char* description) {
  return {{"type", type}, {"description", description}};
}

Json kind_schema(const ResourceType& type, const Version& version) {
  Json schema = version.schema.is_object() ? version.schema : Json::object();
  clean(schema);
  schema["type"] = "object";
  Json& properties = schema["properties"];
  properties["apiVersion"] = described("string", "Group and version of this form of the object.");
  properties["kind"] = described("string", "Kind of the object, in CamelCase.");
  properties["metadata"] = {{"description", "Name, namespace, labels and whatever else every object has."},
                            {"allOf", {{{"$ref", std::string("#/components/schemas/") + kObjectMetaName}}}}};
  schema["x-kubernetes-group-version-kind"] = Json::array({gvk(type, version.name)});
  return schema;
}

std::string document_path(std::string_view group, std::string_view version) {
  return group.empty() ? "api/" + std::string(version)
                       : "apis/" + std::string(group) + "/" + std::string(version);
}

// Changes where any schema of the group's version changes, which is all that clients cache by.
std::string document_hash(const Types& types, std::string_view group, std::string_view version_name) {
  std::string text;
  for (const auto& type : types) {
    const Version* version = type->version(version_name);
    if (type->group != group || !version || !version->served) continue;
    text += type->kind + json::dump(version->schema);
  }
  return text::safe_hash(text);
}

void add_index_entries(Json& paths, const Types& types, const std::string& group) {
  for (const auto& version : served_versions(types, group)) {
    const std::string path = document_path(group, version);
    const std::string url = "/openapi/v3/" + path + "?hash=" + document_hash(types, group, version);
    paths[path] = {{"serverRelativeURL", url}};
  }
}

}  // namespace

Json openapi_v3_index(const Types& types) {
  Json paths = Json::object();
  std::string last = "-";
  for (const auto& type : types) {
    // A group's kinds mostly stand side by side; seeing a group twice only repeats its entries.
    if (type->group != last) add_index_entries(paths, types, type->group);
    last = type->group;
  }
  return {{"paths", std::move(paths)}};
}

Json openapi_v3(const Types& types, std::string_view group, std::string_view version_name) {
  Json schemas = Json::object(), paths = Json::object();
  schemas[kObjectMetaName] = object_meta_schema();
  for (const auto& type : types) {
    const Version* version = type->version(version_name);
    if (type->group != group || !version || !version->served) continue;
    schemas[schema_name(*type, version->name)] = kind_schema(*type, *version);
    add_paths(paths, *type, *version, OpenApi::kV3);
  }
  return {{"openapi", "3.0.0"},
          {"info", openapi_info()},
          {"paths", std::move(paths)},
          {"components", {{"schemas", std::move(schemas)}}}};
}

}  // namespace tidegate::apiserver::schema
