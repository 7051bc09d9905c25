// SPDX-License-Identifier: Apache-2.0
// The few kinds whose life cycle is the API server's own: namespaces (finalisation), pods (graceful
// deletion), CustomResourceDefinitions (what they say is served). Everything else is a document. Thread:
// control.
#pragma once

#include <optional>
#include <string>

#include "apiserver/api_status.h"
#include "apiserver/type_registry.h"
#include "apiserver/writes.h"

namespace tidegate::apiserver {

// Before an object is validated and stored: what the server itself fills in.
std::optional<ApiStatus> prepare(const schema::ResourceType& type, Json& now, const Json* before,
                                 const std::string& time);

// Seconds that a deletion waits for whoever runs the object; 0: it goes at once.
std::int64_t grace_seconds(const schema::ResourceType& type, const Json& object,
                           const DeleteOptions& options);

// Finalizers that hold the object, of metadata and, for namespaces, of spec.
bool held_by_finalizers(const schema::ResourceType& type, const Json& object);

// Marks a namespace as going.
void mark_terminating(const schema::ResourceType& type, Json& object);

// What a stored CustomResourceDefinition changes in what is served; `now` null: deleted.
void serve_definition(TypeRegistry& types, const Json* before, const Json* now);

bool is_definition(const schema::ResourceType& type);
bool is_namespace(const schema::ResourceType& type);

}  // namespace tidegate::apiserver
