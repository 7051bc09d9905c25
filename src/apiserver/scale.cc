// SPDX-License-Identifier: Apache-2.0
#include "apiserver/scale.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::apiserver {
namespace {

// ".spec.replicas" as a JSON pointer.
std::string pointer_of(std::string path) {
  if (!path.starts_with('.')) path.insert(0, ".");
  std::replace(path.begin(), path.end(), '.', '/');
  return path;
}

std::string requirement_text(const Json& requirement) {
  const std::string key = json::string_at(requirement, "key"), op = json::string_at(requirement, "operator");
  std::vector<std::string> values;
  for (const auto& value : json::array_at(requirement, "values")) {
    if (value.is_string()) values.push_back(value.get<std::string>());
  }
  if (op == "Exists") return key;
  if (op == "DoesNotExist") return "!" + key;
  return key + (op == "NotIn" ? " notin (" : " in (") + text::join(values, ",") + ")";
}

}  // namespace

std::string selector_text(const Json& selector) {
  if (selector.is_string()) return selector.get<std::string>();
  std::vector<std::string> parts;
  for (const auto& [key, value] : json::object_at(selector, "matchLabels").items()) {
    if (value.is_string()) parts.push_back(key + "=" + value.get<std::string>());
  }
  for (const auto& requirement : json::array_at(selector, "matchExpressions"))
    parts.push_back(requirement_text(requirement));
  return text::join(parts, ",");
}

Json scale_of(const Json& object, const schema::ScalePaths& paths) {
  Json scale = {{"kind", "Scale"}, {"apiVersion", "autoscaling/v1"}, {"metadata", Json::object()}};
  for (const std::string field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    scale["metadata"][field] = json::string_at(object, "metadata." + field);
  }
  scale["spec"]["replicas"] = json::int_at(object, pointer_of(paths.spec_replicas));
  scale["status"]["replicas"] = json::int_at(object, pointer_of(paths.status_replicas));
  if (paths.label_selector.empty()) return scale;
  if (const Json* selector = json::find(object, pointer_of(paths.label_selector))) {
    scale["status"]["selector"] = selector_text(*selector);
  }
  return scale;
}

std::optional<ApiStatus> apply_scale(Json& object, const Json& scale, const schema::ScalePaths& paths) {
  const std::string name = json::string_at(object, "metadata.name");
  const Json* replicas = json::find(scale, "spec.replicas");
  if (!replicas || !replicas->is_number_integer() || replicas->get<std::int64_t>() < 0) {
    return invalid("Scale", "autoscaling", name,
                   {{"spec.replicas", "FieldValueInvalid",
                     "Invalid value: " + (replicas ? json::dump(*replicas) : "null") +
                         ": expected an integer of at least 0"}});
  }
  Json* at = &object;
  const auto parts = text::split(
      std::string_view(paths.spec_replicas).substr(paths.spec_replicas.starts_with('.') ? 1 : 0), '.');
  for (const auto part : parts) {
    if (!at->is_object() && !at->is_null())
      return bad_request("the object has no place for " + paths.spec_replicas);
    at = &(*at)[std::string(part)];
  }
  *at = *replicas;
  if (const auto version = json::string_at(scale, "metadata.resourceVersion"); !version.empty()) {
    object["metadata"]["resourceVersion"] = version;
  }
  return std::nullopt;
}

}  // namespace tidegate::apiserver
