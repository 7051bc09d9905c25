// SPDX-License-Identifier: Apache-2.0
// The kinds served now: the built-in ones, and those of the CustomResourceDefinitions in the store. Thread:
// control.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/schema/discovery.h"

namespace tidegate::apiserver {

class TypeRegistry {
 public:
  TypeRegistry();

  // Key of storage and of messages: "replicasets.apps", "services".
  static std::string resource_name(const schema::ResourceType& type);

  schema::ResourceTypePtr find(std::string_view group, std::string_view plural) const;
  bool serves_version(std::string_view group, std::string_view version) const;
  const schema::Types& all() const { return types_; }

  void set(schema::ResourceTypePtr type);  // a CRD, new or changed
  void remove(std::string_view group, std::string_view plural);

 private:
  schema::Types types_;
};

}  // namespace tidegate::apiserver
