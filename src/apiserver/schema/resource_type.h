// SPDX-License-Identifier: Apache-2.0
// A kind that the API server serves, read from a CustomResourceDefinition document (apiextensions.k8s.io/v1):
// CRDs of users and the built-in kinds of resources/*.yaml come in the same form. Built-in kinds may add,
// beside what CRDs allow, the marks of upstream's OpenAPI that strategic merge patches need:
// x-kubernetes-patch-strategy and x-kubernetes-patch-merge-key. Thread: none; shared as const.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace tidegate::apiserver::schema {

struct PrinterColumn {
  std::string name, type, format, description, json_path;  // type: string, integer, number, boolean, date
  int priority = 0;                                        // above 0: only with -o wide
  std::string
      function;  // built-in kinds only: what computes the cell instead of json_path (column_functions.h)
};

struct ScalePaths {
  std::string spec_replicas, status_replicas, label_selector;  // JSON paths, ".spec.replicas"
};

struct Rules;

struct Version {
  std::string name;
  bool served = true, storage = false;
  bool status = false;  // has the status subresource
  std::optional<ScalePaths> scale;
  std::vector<PrinterColumn> columns;
  Json schema;                         // openAPIV3Schema; an empty object: preserves everything
  std::shared_ptr<const Rules> rules;  // its x-kubernetes-validations (rules.h), or nullptr
};

struct ResourceType {
  std::string group, kind, list_kind, plural, singular;
  std::vector<std::string> short_names, categories;
  bool namespaced = true;
  bool builtin = false;  // strategic merge patch allowed, protobuf names known to clients
  std::vector<Version> versions;

  const Version* version(std::string_view name) const;
  const Version& storage_version() const;
  std::string api_version(std::string_view version) const;  // "v1", "apps/v1"
};
using ResourceTypePtr = std::shared_ptr<const ResourceType>;

// Errors: kInvalid, "FIELD: what is wrong", naming the field of the CRD.
Result<ResourceType> decode_crd(const Json& crd);

// The kinds compiled in: Namespace, Service, Secret, ConfigMap, Pod, Event, ServiceAccount, Endpoints, Node,
// ReplicaSet, Deployment, EndpointSlice, Lease, Role(Binding)s, CustomResourceDefinition, APIService is not
// among them.
const std::vector<ResourceTypePtr>& builtin_types();

}  // namespace tidegate::apiserver::schema
