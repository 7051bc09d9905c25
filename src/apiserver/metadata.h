// SPDX-License-Identifier: Apache-2.0
// What every object's metadata must look like, whatever its kind: the schemas leave metadata alone. Pure.
// Thread: any.
#pragma once

#include <vector>

#include "apiserver/schema/structural.h"
#include "base/json.h"

namespace tidegate::apiserver {

// `metadata` is the object at metadata. Empty: fine. Nulls count as absent.
std::vector<schema::FieldError> check_metadata(const Json& metadata);

}  // namespace tidegate::apiserver
