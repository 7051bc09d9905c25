// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/discovery.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apiserver/schema/version_order.h"

namespace tidegate::apiserver::schema {
namespace {

const Json kVerbs = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
const Json kSubresourceVerbs = {"get", "patch", "update"};

struct Subresource {
  std::string name, group, version, kind;
  Json verbs;
};

std::vector<Subresource> subresources(const ResourceType& type, const Version& version) {
  std::vector<Subresource> out;
  if (version.scale) out.push_back({"scale", "autoscaling", "v1", "Scale", kSubresourceVerbs});
  if (version.status) out.push_back({"status", type.group, version.name, type.kind, kSubresourceVerbs});
  if (type.builtin && type.kind == "Pod") out.push_back({"log", "", "v1", "Pod", Json{"get"}});
  return out;
}

// Groups in the order in which they first appear, without the core group.
std::vector<std::string> groups_of(const Types& types) {
  std::vector<std::string> groups;
  for (const auto& type : types) {
    if (!type->group.empty() && std::find(groups.begin(), groups.end(), type->group) == groups.end()) {
      groups.push_back(type->group);
    }
  }
  return groups;
}

Json group_versions(const Types& types, const std::string& group) {
  Json versions = Json::array();
  for (const auto& version : served_versions(types, group)) {
    versions.push_back({{"groupVersion", group + "/" + version}, {"version", version}});
  }
  return versions;
}

Json group_entry(const Types& types, const std::string& group) {
  Json versions = group_versions(types, group);
  if (versions.empty()) return {};
  Json preferred = versions.front();
  return {{"name", group}, {"versions", std::move(versions)}, {"preferredVersion", std::move(preferred)}};
}

void add_lists(Json& entry, const ResourceType& type) {
  if (!type.short_names.empty()) entry["shortNames"] = type.short_names;
  if (!type.categories.empty()) entry["categories"] = type.categories;
}

Json response_kind(const std::string& group, const std::string& version, const std::string& kind) {
  return {{"group", group}, {"version", version}, {"kind", kind}};
}

Json aggregated_resource(const ResourceType& type, const Version& version) {
  Json entry = {{"resource", type.plural},
                {"responseKind", response_kind(type.group, version.name, type.kind)},
                {"scope", type.namespaced ? "Namespaced" : "Cluster"},
                {"singularResource", type.singular},
                {"verbs", kVerbs}};
  add_lists(entry, type);
  for (const auto& sub : subresources(type, version)) {
    entry["subresources"].push_back({{"subresource", sub.name},
                                     {"responseKind", response_kind(sub.group, sub.version, sub.kind)},
                                     {"verbs", sub.verbs}});
  }
  return entry;
}

Json aggregated_group(const Types& types, const std::string& group) {
  Json versions = Json::array();
  for (const auto& name : served_versions(types, group)) {
    Json resources = Json::array();
    for (const auto& type : types) {
      const Version* version = type->version(name);
      if (type->group == group && version && version->served)
        resources.push_back(aggregated_resource(*type, *version));
    }
    versions.push_back({{"version", name}, {"resources", std::move(resources)}, {"freshness", "Current"}});
  }
  return {{"metadata", {{"name", group}, {"creationTimestamp", nullptr}}}, {"versions", std::move(versions)}};
}

}  // namespace

Json api_versions() {
  return {{"kind", "APIVersions"}, {"versions", {"v1"}}, {"serverAddressByClientCIDRs", Json::array()}};
}

Json api_group_list(const Types& types) {
  Json groups = Json::array();
  for (const auto& group : groups_of(types)) {
    if (Json entry = group_entry(types, group); !entry.is_null()) groups.push_back(std::move(entry));
  }
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

Json api_group(const Types& types, std::string_view group) {
  Json entry = group_entry(types, std::string(group));
  if (entry.is_null()) return entry;
  entry["kind"] = "APIGroup";
  entry["apiVersion"] = "v1";
  return entry;
}

Json api_resource_list(const Types& types, std::string_view group, std::string_view version_name) {
  Json resources = Json::array();
  for (const auto& type : types) {
    const Version* version = type->version(version_name);
    if (type->group != group || !version || !version->served) continue;
    Json entry = {{"name", type->plural},
                  {"singularName", type->singular},
                  {"namespaced", type->namespaced},
                  {"kind", type->kind},
                  {"verbs", kVerbs}};
    add_lists(entry, *type);
    resources.push_back(std::move(entry));
    for (const auto& sub : subresources(*type, *version)) {
      resources.push_back({{"name", type->plural + "/" + sub.name},
                           {"singularName", ""},
                           {"namespaced", type->namespaced},
                           {"group", sub.group},
                           {"version", sub.version},
                           {"kind", sub.kind},
                           {"verbs", sub.verbs}});
    }
  }
  const std::string name =
      group.empty() ? std::string(version_name) : std::string(group) + "/" + std::string(version_name);
  return {{"kind", "APIResourceList"},
          {"apiVersion", "v1"},
          {"groupVersion", name},
          {"resources", std::move(resources)}};
}

Json aggregated_discovery(const Types& types, bool core, std::string_view version) {
  Json items = Json::array();
  if (core) {
    items.push_back(aggregated_group(types, ""));
  } else {
    for (const auto& group : groups_of(types)) items.push_back(aggregated_group(types, group));
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", "apidiscovery.k8s.io/" + std::string(version)},
          {"metadata", Json::object()},
          {"items", std::move(items)}};
}

}  // namespace tidegate::apiserver::schema
