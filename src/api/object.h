// SPDX-License-Identifier: Apache-2.0
// Kubernetes objects as the controllers see them: metadata decoded, the rest typed by the files beside this
// one. Decoding is total: wrong types read as absent (the API server's schemas have refused them already).
// Objects are shared as const snapshots (invariant I3). Thread: none; plain values.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace tidegate::api {

using Labels = std::map<std::string, std::string>;

// Where a kind is served. Every kind that the controllers touch has one constant, in the file that types it.
struct Resource {
  std::string_view group;  // "" for core
  std::string_view version;
  std::string_view plural;
  std::string_view kind;
  bool namespaced = true;

  std::string api_version() const;  // "v1", "apps/v1"
  // "/apis/apps/v1/namespaces/ns/replicasets[/name[/subresource]]"; ns empty: all namespaces (or a
  // cluster-scoped kind).
  std::string path(std::string_view ns = {}, std::string_view name = {},
                   std::string_view subresource = {}) const;
};

struct Key {
  std::string ns;  // empty for cluster-scoped kinds
  std::string name;
  friend auto operator<=>(const Key&, const Key&) = default;
};
std::string to_string(const Key& key);  // "ns/name", or "name"

struct OwnerReference {
  std::string api_version, kind, name, uid;
  bool controller = false;
  friend bool operator==(const OwnerReference&, const OwnerReference&) = default;
};
Json to_json(const OwnerReference& owner);

struct Meta {
  std::string ns, name, uid, resource_version;
  std::int64_t generation = 0;
  Labels labels, annotations;
  std::vector<OwnerReference> owners;
  std::vector<std::string> finalizers;
  TimePoint created{};
  std::optional<TimePoint> deleted;

  Key key() const { return {ns, name}; }
};
Meta decode_meta(const Json& object);

// An object as it was read: its document and its metadata.
struct Object {
  Meta meta;
  std::shared_ptr<const Json> json;
};
Object make_object(Json json);

// metav1.LabelSelector; an empty selector matches everything, an absent one nothing.
struct LabelSelector {
  struct Requirement {
    std::string key, op;  // In, NotIn, Exists, DoesNotExist
    std::vector<std::string> values;
  };
  Labels match_labels;
  std::vector<Requirement> match_expressions;
  bool matches(const Labels& labels) const;
};
std::optional<LabelSelector> decode_selector(const Json* selector);
std::string to_query(const Labels& labels);  // "a=b,c=d", for labelSelector=

}  // namespace tidegate::api
