// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/openapi.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::apiserver::schema {
namespace {

struct Parameter {
  const char* name;
  const char* type;
  const char* description;
};
constexpr Parameter kDryRun{"dryRun", "string", "All: do everything but store the result."};
constexpr Parameter kFieldManager{"fieldManager", "string", "Who makes the change, for managedFields."};
constexpr Parameter kFieldValidation{"fieldValidation", "string",
                                     "Ignore, Warn or Strict: what unknown fields lead to."};
constexpr Parameter kForce{"force", "boolean", "Take fields over from other managers; only with apply."};

Json parameter(const Parameter& it, OpenApi form) {
  Json out = {{"name", it.name}, {"in", "query"}, {"description", it.description}};
  if (form == OpenApi::kV2) {
    out["type"] = it.type;
    out["uniqueItems"] = true;
  } else {
    out["schema"] = {{"type", it.type}, {"uniqueItems", true}};
  }
  return out;
}

Json path_parameter(const char* name, OpenApi form) {
  Json out = {{"name", name}, {"in", "path"}, {"required", true}};
  if (form == OpenApi::kV2) {
    out["type"] = "string";
  } else {
    out["schema"] = {{"type", "string"}};
  }
  return out;
}

// Patches name no strategic merge patch here, though built-in kinds take it: kubectl then computes them out
// of the types compiled into it, which know every field, instead of out of our documents.
constexpr const char* kPatchTypes[] = {"application/json-patch+json", "application/merge-patch+json",
                                       "application/apply-patch+yaml"};

class Operations {
 public:
  Operations(const ResourceType& type, const Version& version, OpenApi form)
      : gvk_(gvk(type, version.name)), schema_(schema_name(type, version.name)), form_(form) {}

  Json make(const char* action, std::initializer_list<Parameter> parameters) const {
    Json operation = {{"x-kubernetes-action", action},
                      {"x-kubernetes-group-version-kind", gvk_},
                      {"responses", {{"200", {{"description", "OK"}}}}}};
    for (const auto& it : parameters) operation["parameters"].push_back(parameter(it, form_));
    return operation;
  }

  Json with_body(const char* action, std::initializer_list<Parameter> parameters) const {
    Json operation = make(action, parameters);
    if (form_ == OpenApi::kV2) return operation;
    const bool patch = std::string_view(action) == "patch";
    Json& content = operation["requestBody"]["content"];
    if (patch) {
      for (const char* type : kPatchTypes) content[type]["schema"] = {{"type", "object"}};
    } else {
      content["application/json"]["schema"] = {{"$ref", "#/components/schemas/" + schema_}};
    }
    return operation;
  }

 private:
  Json gvk_;
  std::string schema_;
  OpenApi form_;
};

}  // namespace

std::string schema_name(const ResourceType& type, const std::string& version) {
  if (type.group.empty()) return "io.k8s.api.core." + version + "." + type.kind;
  auto parts = text::split(type.group, '.');
  std::reverse(parts.begin(), parts.end());
  std::string name;
  for (const auto part : parts) name += std::string(part) + ".";
  return name + version + "." + type.kind;
}

Json gvk(const ResourceType& type, const std::string& version) {
  return {{"group", type.group}, {"version", version}, {"kind", type.kind}};
}

Json openapi_info() { return {{"title", "Kubernetes"}, {"version", "v1.31.0"}}; }

void add_paths(Json& paths, const ResourceType& type, const Version& version, OpenApi form) {
  const Operations operations(type, version, form);
  const std::string prefix = (type.group.empty() ? "/api/" : "/apis/") + type.api_version(version.name);
  const std::string list = prefix + (type.namespaced ? "/namespaces/{namespace}/" : "/") + type.plural;
  Json& collection = paths[list];
  Json& object = paths[list + "/{name}"];
  if (type.namespaced) {
    collection["parameters"].push_back(path_parameter("namespace", form));
    object["parameters"].push_back(path_parameter("namespace", form));
  }
  object["parameters"].push_back(path_parameter("name", form));
  collection["get"] = operations.make("list", {});
  collection["post"] = operations.with_body("post", {kDryRun, kFieldManager, kFieldValidation});
  object["get"] = operations.make("get", {});
  object["put"] = operations.with_body("put", {kDryRun, kFieldManager, kFieldValidation});
  object["patch"] = operations.with_body("patch", {kDryRun, kFieldManager, kFieldValidation, kForce});
  object["delete"] = operations.make("delete", {kDryRun});
}

}  // namespace tidegate::apiserver::schema
