// SPDX-License-Identifier: Apache-2.0
// Which versions of a group are served, best first, by Kubernetes' order: v2, v1, v2beta1, v1beta2, v1alpha1,
// then other names by letters. Pure. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/schema/resource_type.h"

namespace tidegate::apiserver::schema {

bool version_before(std::string_view a, std::string_view b);
std::vector<std::string> served_versions(const std::vector<ResourceTypePtr>& types, std::string_view group);

}  // namespace tidegate::apiserver::schema
