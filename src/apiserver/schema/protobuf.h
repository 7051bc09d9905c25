// SPDX-License-Identifier: Apache-2.0
// Bodies that kubectl 1.32 and later and controller-runtime send as application/vnd.kubernetes.protobuf for a
// few built-in kinds, as JSON: Namespace, ConfigMap, Secret, ServiceAccount, Service, Deployment,
// DeleteOptions, SelfSubjectAccessReview, SelfSubjectReview. A field that is not known here is an error,
// never dropped. Reads outside bytes: bounded, total. Thread: any.
#pragma once

#include <string_view>

#include "base/json.h"

namespace tidegate::apiserver::schema {

bool is_protobuf(std::string_view body);  // starts with "k8s\0"
// kInvalid: malformed. kNotFound: a kind that is not among those above; the caller answers 415.
Result<Json> decode_protobuf(std::string_view body);

}  // namespace tidegate::apiserver::schema
