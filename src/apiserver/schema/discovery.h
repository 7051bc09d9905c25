// SPDX-License-Identifier: Apache-2.0
// Discovery and OpenAPI documents out of resource types: what kubectl and client-go read before anything
// else. Pure. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/schema/resource_type.h"
#include "base/json.h"

namespace tidegate::apiserver::schema {

using Types = std::vector<ResourceTypePtr>;

Json api_versions();                                         // GET /api
Json api_group_list(const Types& types);                     // GET /apis
Json api_group(const Types& types, std::string_view group);  // GET /apis/{group}
Json api_resource_list(const Types& types, std::string_view group,
                       std::string_view version);  // GET /api/v1, /apis/{g}/{v}
// The aggregated form (apidiscovery.k8s.io, version "v2" or "v2beta1"): core for /api, the rest for /apis.
Json aggregated_discovery(const Types& types, bool core, std::string_view version);

Json openapi_v3_index(const Types& types);  // GET /openapi/v3
Json openapi_v3(const Types& types, std::string_view group,
                std::string_view version);  // GET /openapi/v3/apis/{g}/{v}
// The protobuf form of OpenAPI v2 that every kubectl asks for
// (application/com.github.proto-openapi.spec.v2.v1.0+protobuf), and its JSON form.
std::string openapi_v2_protobuf(const Types& types);
Json openapi_v2(const Types& types);

}  // namespace tidegate::apiserver::schema
