// SPDX-License-Identifier: Apache-2.0
#include "api/object.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace tidegate::api {

std::string Resource::api_version() const {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::string Resource::path(std::string_view ns, std::string_view name, std::string_view subresource) const {
  std::string out = group.empty() ? "/api/" : "/apis/";
  out += api_version();
  if (namespaced && !ns.empty()) out += "/namespaces/" + std::string(ns);
  out += "/" + std::string(plural);
  if (!name.empty()) out += "/" + std::string(name);
  if (!subresource.empty()) out += "/" + std::string(subresource);
  return out;
}

std::string to_string(const Key& key) { return key.ns.empty() ? key.name : key.ns + "/" + key.name; }

Json to_json(const OwnerReference& owner) {
  Json out = {
      {"apiVersion", owner.api_version}, {"kind", owner.kind}, {"name", owner.name}, {"uid", owner.uid}};
  if (owner.controller) {
    out["controller"] = true;
    out["blockOwnerDeletion"] = true;
  }
  return out;
}

Meta decode_meta(const Json& object) {
  const Json& from = json::object_at(object, "metadata");
  Meta meta;
  meta.ns = json::string_at(from, "namespace");
  meta.name = json::string_at(from, "name");
  meta.uid = json::string_at(from, "uid");
  meta.resource_version = json::string_at(from, "resourceVersion");
  meta.generation = json::int_at(from, "generation");
  meta.labels = decode_labels(from, "labels");
  meta.annotations = decode_labels(from, "annotations");
  for (const auto& owner : json::array_at(from, "ownerReferences")) {
    meta.owners.push_back({json::string_at(owner, "apiVersion"), json::string_at(owner, "kind"),
                           json::string_at(owner, "name"), json::string_at(owner, "uid"),
                           json::bool_at(owner, "controller")});
  }
  meta.finalizers = decode_strings(from, "finalizers");
  meta.created = text::parse_time(json::string_at(from, "creationTimestamp")).value_or(TimePoint{});
  meta.deleted = text::parse_time(json::string_at(from, "deletionTimestamp"));
  return meta;
}

Object make_object(Json json) {
  auto meta = decode_meta(json);
  return {std::move(meta), std::make_shared<const Json>(std::move(json))};
}

namespace {

bool meets(const LabelSelector::Requirement& requirement, const Labels& labels) {
  const auto it = labels.find(requirement.key);
  const bool present = it != labels.end();
  const auto& values = requirement.values;
  const bool listed = present && std::find(values.begin(), values.end(), it->second) != values.end();
  if (requirement.op == "In") return listed;
  if (requirement.op == "NotIn") return !listed;
  if (requirement.op == "Exists") return present;
  if (requirement.op == "DoesNotExist") return !present;
  return false;  // an operator that we don't know selects nothing rather than everything
}

}  // namespace

bool LabelSelector::matches(const Labels& labels) const {
  const auto has = [&](const auto& wanted) {
    const auto it = labels.find(wanted.first);
    return it != labels.end() && it->second == wanted.second;
  };
  return std::all_of(match_labels.begin(), match_labels.end(), has) &&
         std::all_of(match_expressions.begin(), match_expressions.end(),
                     [&](const auto& requirement) { return meets(requirement, labels); });
}

std::optional<LabelSelector> decode_selector(const Json* selector) {
  if (!selector || !selector->is_object()) return std::nullopt;
  LabelSelector out;
  out.match_labels = decode_labels(*selector, "matchLabels");
  for (const auto& item : json::array_at(*selector, "matchExpressions")) {
    out.match_expressions.push_back(
        {json::string_at(item, "key"), json::string_at(item, "operator"), decode_strings(item, "values")});
  }
  return out;
}

std::string to_query(const Labels& labels) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : labels) parts.push_back(key + "=" + value);
  return text::join(parts, ",");
}

}  // namespace tidegate::api
