// SPDX-License-Identifier: Apache-2.0
// The four patch types of the Kubernetes API on JSON documents. Pure; errors are kInvalid (malformed),
// kConflict (a JSON patch `test` that fails, or another manager's fields without force). Thread: any.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/json.h"

namespace tidegate::apiserver::schema {

Result<Json> json_patch(Json object, const Json& patch);        // RFC 6902
Result<Json> json_merge_patch(Json object, const Json& patch);  // RFC 7386
// Lists merge by x-kubernetes-patch-merge-key where the schema says so; $patch, $deleteFromPrimitiveList,
// $setElementOrder, $retainKeys.
Result<Json> strategic_merge_patch(Json object, const Json& patch, const Json& schema);

// Server-side apply and field ownership (managedFields, FieldsV1).
struct ApplyOptions {
  std::string manager;
  std::string operation_time;  // RFC 3339
  std::string api_version;
  std::string subresource;  // "" or "status"
  bool force = false;
};
// `live` null: create. A conflict's Error.detail lists each field and its manager, one a line:
// "spec.replicas\tkubectl-edit".
Result<Json> server_side_apply(const Json* live, const Json& applied, const Json& schema,
                               const ApplyOptions& options);

// Records what an update or a non-apply patch changed as owned by `manager` (operation Update); drops from
// others what it changed.
void record_update(Json& now, const Json* before, const Json& schema, const ApplyOptions& options);

}  // namespace tidegate::apiserver::schema
