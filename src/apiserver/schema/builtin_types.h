// SPDX-License-Identifier: Apache-2.0
// The built-in kinds' shared schemas, read from resources/*.yaml once. Thread: any, after the first call
// returned.
#pragma once

#include <string_view>

#include "base/json.h"

namespace tidegate::apiserver::schema {

// A schema of resources/definitions.yaml; naming one that is not there is a programmer's error.
const Json& definition(std::string_view name);

// What `metadata` means in every kind, whatever the kind's own schema says of it.
const Json& object_meta_schema();

}  // namespace tidegate::apiserver::schema
