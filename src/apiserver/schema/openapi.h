// SPDX-License-Identifier: Apache-2.0
// Parts that the OpenAPI documents of both versions share. Pure. Thread: any.
#pragma once

#include <string>

#include "apiserver/schema/resource_type.h"
#include "base/json.h"

namespace tidegate::apiserver::schema {

inline constexpr const char* kObjectMetaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

// "io.k8s.networking.gateway.v1.HTTPRoute": the group reversed, version, kind.
std::string schema_name(const ResourceType& type, const std::string& version);
Json gvk(const ResourceType& type, const std::string& version);
Json openapi_info();

// The paths of one version of a kind with their verbs. In v2, parameters carry their type directly; in v3
// inside of a schema.
enum class OpenApi { kV2, kV3 };
void add_paths(Json& paths, const ResourceType& type, const Version& version, OpenApi form);

// The protobuf form (gnostic's openapi.v2.Document) of a v2 document.
std::string encode_openapi_v2(const Json& document);

}  // namespace tidegate::apiserver::schema
