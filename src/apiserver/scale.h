// SPDX-License-Identifier: Apache-2.0
// The scale subresource as a document (autoscaling/v1 Scale), out of an object and back into it. Pure and
// total. Thread: any.
#pragma once

#include "apiserver/api_status.h"
#include "apiserver/schema/resource_type.h"
#include "base/json.h"

namespace tidegate::apiserver {

Json scale_of(const Json& object, const schema::ScalePaths& paths);

// Writes what a client wants into the object: replicas, and the resourceVersion that it insists on. Refuses
// what is not a count.
std::optional<ApiStatus> apply_scale(Json& object, const Json& scale, const schema::ScalePaths& paths);

// A selector as text: a string as it is, a metav1.LabelSelector as "app=web,tier in (a,b)".
std::string selector_text(const Json& selector);

}  // namespace tidegate::apiserver
