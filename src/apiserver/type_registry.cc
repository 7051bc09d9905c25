// SPDX-License-Identifier: Apache-2.0
#include "apiserver/type_registry.h"

#include <algorithm>

namespace tidegate::apiserver {

TypeRegistry::TypeRegistry() : types_(schema::builtin_types()) {}

std::string TypeRegistry::resource_name(const schema::ResourceType& type) {
  return type.group.empty() ? type.plural : type.plural + "." + type.group;
}

schema::ResourceTypePtr TypeRegistry::find(std::string_view group, std::string_view plural) const {
  for (const auto& type : types_) {
    if (type->group == group && type->plural == plural) return type;
  }
  return nullptr;
}

bool TypeRegistry::serves_version(std::string_view group, std::string_view version) const {
  return std::any_of(types_.begin(), types_.end(), [&](const auto& type) {
    const auto* found = type->group == group ? type->version(version) : nullptr;
    return found && found->served;
  });
}

void TypeRegistry::set(schema::ResourceTypePtr type) {
  remove(type->group, type->plural);
  types_.push_back(std::move(type));
}

void TypeRegistry::remove(std::string_view group, std::string_view plural) {
  std::erase_if(types_, [&](const auto& type) {
    return !type->builtin && type->group == group && type->plural == plural;
  });
}

}  // namespace tidegate::apiserver
