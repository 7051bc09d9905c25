// SPDX-License-Identifier: Apache-2.0
#include "apiserver/lifecycle.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::apiserver {
namespace {

bool is_pod(const schema::ResourceType& type) { return type.group.empty() && type.kind == "Pod"; }

Json condition(const std::string& type, const std::string& reason, const std::string& message,
               const std::string& time) {
  return {{"type", type},
          {"status", "True"},
          {"reason", reason},
          {"message", message},
          {"lastTransitionTime", time}};
}

std::optional<ApiStatus> prepare_definition(Json& now, const std::string& time) {
  auto type = schema::decode_crd(now);
  const std::string name = json::string_at(now, "metadata.name");
  if (!type) {
    const auto& detail = type.error().detail;
    const auto colon = detail.find(": ");
    return invalid("CustomResourceDefinition", "apiextensions.k8s.io", name,
                   {{detail.substr(0, colon), "FieldValueInvalid",
                     colon == std::string::npos ? detail : detail.substr(colon + 2)}});
  }
  if (name != type->plural + "." + type->group) {
    return invalid("CustomResourceDefinition", "apiextensions.k8s.io", name,
                   {{"metadata.name", "FieldValueInvalid",
                     "Invalid value: \"" + name + "\": must be spec.names.plural+\".\"+spec.group"}});
  }
  if (!json::find(now, "status") || !now["status"].is_object()) now["status"] = Json::object();
  Json& status = now["status"];
  status["acceptedNames"] = now["spec"]["names"];
  Json stored = json::array_at(status, "storedVersions");
  const std::string version = type->storage_version().name;
  if (std::find(stored.begin(), stored.end(), version) == stored.end()) stored.push_back(version);
  status["storedVersions"] = std::move(stored);
  if (!json::array_at(status, "conditions").empty()) return std::nullopt;
  status["conditions"] = {
      condition("NamesAccepted", "NoConflicts", "no conflicts found", time),
      condition("Established", "InitialNamesAccepted", "the initial names have been accepted", time)};
  return std::nullopt;
}

// Plain text of stringData goes into data, and is never kept (core/v1 Secret).
void prepare_secret(Json& now) {
  const Json plain = json::object_at(now, "stringData");
  now.erase("stringData");
  if (plain.empty()) return;
  if (!json::find(now, "data") || !now["data"].is_object()) now["data"] = Json::object();
  for (const auto& [key, value] : plain.items()) {
    if (value.is_string()) now["data"][key] = text::base64_encode(value.get<std::string>());
  }
}

void prepare_namespace(Json& now, const Json* before) {
  now["metadata"]["labels"]["kubernetes.io/metadata.name"] = now["metadata"]["name"];
  if (before) return;
  if (!json::find(now, "spec") || !now["spec"].is_object()) now["spec"] = Json::object();
  now["spec"]["finalizers"] = Json::array({"kubernetes"});
  now["status"]["phase"] = "Active";
}

}  // namespace

bool is_definition(const schema::ResourceType& type) {
  return type.group == "apiextensions.k8s.io" && type.kind == "CustomResourceDefinition";
}

bool is_namespace(const schema::ResourceType& type) { return type.group.empty() && type.kind == "Namespace"; }

std::optional<ApiStatus> prepare(const schema::ResourceType& type, Json& now, const Json* before,
                                 const std::string& time) {
  if (is_definition(type)) return prepare_definition(now, time);
  if (is_namespace(type)) prepare_namespace(now, before);
  if (type.group.empty() && type.kind == "Secret") prepare_secret(now);
  if (is_pod(type) && !before) now["status"]["phase"] = "Pending";
  return std::nullopt;
}

std::int64_t grace_seconds(const schema::ResourceType& type, const Json& object,
                           const DeleteOptions& options) {
  if (!is_pod(type) || json::string_at(object, "spec.nodeName").empty()) return 0;
  return options.grace_seconds.value_or(json::int_at(object, "spec.terminationGracePeriodSeconds", 30));
}

bool held_by_finalizers(const schema::ResourceType& type, const Json& object) {
  return !json::array_at(object, "metadata.finalizers").empty() ||
         (is_namespace(type) && !json::array_at(object, "spec.finalizers").empty());
}

void mark_terminating(const schema::ResourceType& type, Json& object) {
  if (is_namespace(type)) object["status"]["phase"] = "Terminating";
}

void serve_definition(TypeRegistry& types, const Json* before, const Json* now) {
  if (before)
    types.remove(json::string_at(*before, "spec.group"), json::string_at(*before, "spec.names.plural"));
  if (!now) return;
  if (auto type = schema::decode_crd(*now))
    types.set(std::make_shared<const schema::ResourceType>(std::move(*type)));
}

}  // namespace tidegate::apiserver
