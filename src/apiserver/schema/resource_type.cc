// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/resource_type.h"

#include <set>

#include "apiserver/schema/rules.h"
#include "apiserver/schema/structural.h"
#include "base/assert.h"
#include "base/text.h"

namespace tidegate::apiserver::schema {
namespace {

Error wrong(std::string field, std::string_view what) {
  return {ErrorCode::kInvalid, std::move(field) + ": " + std::string(what)};
}

std::string quote(std::string_view value) { return "\"" + std::string(value) + "\""; }

std::vector<std::string> strings(const Json& list) {
  std::vector<std::string> out;
  for (const Json& item : list) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

PrinterColumn decode_column(const Json& column) {
  return {.name = json::string_at(column, "name"),
          .type = json::string_at(column, "type", "string"),
          .format = json::string_at(column, "format"),
          .description = json::string_at(column, "description"),
          .json_path = json::string_at(column, "jsonPath"),
          .priority = static_cast<int>(json::int_at(column, "priority")),
          .function = json::string_at(column, "x-tidegate-column")};
}

Result<Version> decode_version(const Json& document, const std::string& field) {
  Version version;
  version.name = json::string_at(document, "name");
  if (!text::is_dns_label(version.name)) {
    return wrong(field + ".name",
                 "Invalid value: " + quote(version.name) + ": must be a DNS label such as v1");
  }
  version.served = json::bool_at(document, "served");
  version.storage = json::bool_at(document, "storage");
  version.status = json::find(document, "subresources.status") != nullptr;
  if (const Json* scale = json::find(document, "subresources.scale")) {
    version.scale =
        ScalePaths{json::string_at(*scale, "specReplicasPath"), json::string_at(*scale, "statusReplicasPath"),
                   json::string_at(*scale, "labelSelectorPath")};
    if (version.scale->spec_replicas.empty()) {
      return wrong(field + ".subresources.scale.specReplicasPath", "Required value");
    }
  }
  for (const Json& column : json::array_at(document, "additionalPrinterColumns")) {
    version.columns.push_back(decode_column(column));
  }
  const Json* schema = json::find(document, "schema.openAPIV3Schema");
  if (!schema || !schema->is_object()) {
    return wrong(field + ".schema.openAPIV3Schema", "Required value: schemas are required");
  }
  if (const auto errors = check_schema(*schema, field + ".schema.openAPIV3Schema"); !errors.empty()) {
    return wrong(errors.front().field, errors.front().message);
  }
  auto rules = compile_rules(*schema, field + ".schema.openAPIV3Schema");
  if (!rules) return rules.error();
  version.rules = std::move(*rules);
  version.schema = *schema;
  return version;
}

Result<void> decode_names(const Json& spec, ResourceType& type) {
  type.group = json::string_at(spec, "group");
  const Json& names = json::object_at(spec, "names");
  type.kind = json::string_at(names, "kind");
  if (type.kind.empty()) return wrong("spec.names.kind", "Required value");
  type.plural = json::string_at(names, "plural");
  if (!text::is_dns_label(type.plural)) {
    return wrong("spec.names.plural",
                 "Invalid value: " + quote(type.plural) + ": must be a lowercase DNS label");
  }
  type.singular = json::string_at(names, "singular", text::lower(type.kind));
  type.list_kind = json::string_at(names, "listKind", type.kind + "List");
  type.short_names = strings(json::array_at(names, "shortNames"));
  type.categories = strings(json::array_at(names, "categories"));
  const std::string scope = json::string_at(spec, "scope");
  if (scope != "Namespaced" && scope != "Cluster") {
    return wrong("spec.scope",
                 "Unsupported value: " + quote(scope) + ": supported values: \"Cluster\", \"Namespaced\"");
  }
  type.namespaced = scope == "Namespaced";
  return {};
}

Result<void> decode_versions(const Json& spec, ResourceType& type) {
  std::set<std::string> seen;
  int stored = 0;
  const Json& versions = json::array_at(spec, "versions");
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const std::string field = "spec.versions[" + std::to_string(i) + "]";
    auto version = decode_version(versions[i], field);
    if (!version) return version.error();
    if (!seen.insert(version->name).second)
      return wrong(field + ".name", "Duplicate value: " + quote(version->name));
    stored += version->storage ? 1 : 0;
    type.versions.push_back(std::move(*version));
  }
  if (type.versions.empty()) return wrong("spec.versions", "Required value: must have at least one version");
  if (stored != 1) {
    return wrong("spec.versions",
                 "Invalid value: must have exactly one version marked as storage version, has " +
                     std::to_string(stored));
  }
  return {};
}

}  // namespace

const Version* ResourceType::version(std::string_view name) const {
  for (const Version& version : versions) {
    if (version.name == name) return &version;
  }
  return nullptr;
}

const Version& ResourceType::storage_version() const {
  for (const Version& version : versions) {
    if (version.storage) return version;
  }
  TIDEGATE_ASSERT(!versions.empty());
  return versions.front();
}

std::string ResourceType::api_version(std::string_view version) const {
  return group.empty() ? std::string(version) : group + "/" + std::string(version);
}

Result<ResourceType> decode_crd(const Json& crd) {
  const Json* spec = json::find(crd, "spec");
  if (!spec || !spec->is_object()) return wrong("spec", "Required value");
  ResourceType type;
  if (auto names = decode_names(*spec, type); !names) return names.error();
  // Documents without a name are the built-in kinds, whose group may be the empty core group.
  if (const std::string name = json::string_at(crd, "metadata.name"); !name.empty()) {
    if (!text::is_dns_subdomain(type.group)) {
      return wrong("spec.group", "Invalid value: " + quote(type.group) + ": must be a DNS subdomain");
    }
    if (const std::string expected = type.plural + "." + type.group; name != expected) {
      return wrong("metadata.name", "Invalid value: " + quote(name) +
                                        ": must be spec.names.plural+\".\"+spec.group, " + quote(expected));
    }
  }
  if (auto versions = decode_versions(*spec, type); !versions) return versions.error();
  return type;
}

}  // namespace tidegate::apiserver::schema
