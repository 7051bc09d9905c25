// SPDX-License-Identifier: Apache-2.0
// How an object gets from a request into the store: metadata, defaults, pruning, validation, ownership,
// generation, finalizers. Every write goes through here, whatever the verb. What is peculiar to a few
// built-in kinds sits in lifecycle.h. Thread: control.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apiserver/api_status.h"
#include "apiserver/request_path.h"
#include "apiserver/storage.h"
#include "apiserver/type_registry.h"
#include "base/clock.h"

namespace tidegate::apiserver {

enum class FieldValidation { kIgnore, kWarn, kStrict };

// What one write request is about, beside its body.
struct WriteRequest {
  schema::ResourceTypePtr type;
  const schema::Version* version = nullptr;
  std::string ns, name, subresource;
  std::string manager = "unknown";
  FieldValidation validation = FieldValidation::kWarn;
  bool dry_run = false;
  bool force = false;                 // server-side apply: take other managers' fields
  std::vector<std::string> warnings;  // out: for the Warning header
};

struct DeleteOptions {
  std::string propagation = "Background";
  std::optional<std::int64_t> grace_seconds;
  std::string uid, resource_version;  // preconditions; empty: none
};

enum class PatchKind { kJson, kMerge, kStrategicMerge, kApply };

class Writes {
 public:
  Writes(Storage& storage, TypeRegistry& types, const Clock& clock);

  struct Written {
    Json object;  // in the version asked for
    bool created = false;
  };
  Outcome<Written> create(WriteRequest& request, Json object);
  Outcome<Written> update(WriteRequest& request, Json object);  // PUT
  Outcome<Written> patch(WriteRequest& request, PatchKind kind, const Json& patch);
  // The object as it is going, where finalizers or grace hold it; nullopt in `pending` where it is gone.
  struct Deleted {
    Json object;
    bool gone = false;
  };
  Outcome<Deleted> remove(WriteRequest& request, const DeleteOptions& options);

  ObjectId id_of(const WriteRequest& request) const;
  // In the version that the client asked for.
  static Json in_version(Json object, const schema::ResourceType& type, const schema::Version& version);

 private:
  Outcome<Written> store(WriteRequest& request, Json now, const Json* before);
  Outcome<Json> admit(WriteRequest& request, Json now, const Json* before);
  std::optional<ApiStatus> check_identity(const WriteRequest& request, Json& object) const;
  std::optional<ApiStatus> check_namespace(const WriteRequest& request) const;
  std::optional<ApiStatus> check_schema(WriteRequest& request, Json& object, const Json* before) const;
  std::optional<ApiStatus> check_version(const WriteRequest& request, const Json& object,
                                         const Json& before) const;
  Outcome<Json> patched(const WriteRequest& request, PatchKind kind, const Json& before,
                        const Json& patch) const;
  // Out of the store, with what follows from it. Refuses where a definition still has instances.
  std::optional<ApiStatus> erase(const schema::ResourceType& type, const ObjectId& id, const Json& object);
  bool remove_instances(const Json& definition);  // false: some are held by finalizers
  void finish_definition(const schema::ResourceType& instance);
  void orphan_dependants(const std::string& uid);
  std::string now_text() const;

  Storage& storage_;
  TypeRegistry& types_;
  const Clock& clock_;
};

}  // namespace tidegate::apiserver
