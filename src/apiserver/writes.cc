// SPDX-License-Identifier: Apache-2.0
#include "apiserver/writes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "apiserver/lifecycle.h"
#include "apiserver/limits.h"
#include "apiserver/metadata.h"
#include "apiserver/schema/patch.h"
#include "apiserver/schema/rules.h"
#include "base/text.h"

namespace tidegate::apiserver {
namespace {

// Holds a CustomResourceDefinition that is going until the last of its instances is gone; upstream's name.
constexpr const char* kInstanceCleanup = "customresourcecleanup.apiextensions.k8s.io";

std::string random_text(std::size_t length, std::string_view alphabet) {
  static thread_local std::mt19937_64 generator{std::random_device{}()};
  std::string text;
  for (std::size_t i = 0; i < length; ++i) text += alphabet[generator() % alphabet.size()];
  return text;
}

// RFC 9562 version 4.
std::string make_uid() {
  std::string hex = random_text(32, "0123456789abcdef");
  hex[12] = '4';
  hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
  for (const std::size_t at : {8, 13, 18, 23}) hex.insert(at, "-");
  return hex;
}

// Names of roles may hold colons; those of namespaces and Services become parts of DNS names; everything else
// is a DNS subdomain.
bool is_name_of(const schema::ResourceType& type, const std::string& name) {
  if (type.group == "rbac.authorization.k8s.io") return name.find_first_of("/%") == std::string::npos;
  if (!type.builtin || !type.group.empty()) return text::is_dns_subdomain(name);
  if (type.kind == "Service")
    return text::is_dns_label(name) && !(name.front() >= '0' && name.front() <= '9');
  return type.kind == "Namespace" ? text::is_dns_label(name) : text::is_dns_subdomain(name);
}

ApiStatus name_problem(const schema::ResourceType& type, const std::string& name) {
  return invalid(type.kind, type.group, name,
                 {{"metadata.name", "FieldValueInvalid",
                   "Invalid value: \"" + name +
                       "\": expected lower case letters, digits, '-' and, save for namespaces and Services, "
                       "'.', first and last a letter or "
                       "digit, at most 253 long (63 for those two; a Service begins with a letter)"}});
}

// Everything but metadata and status: what generation counts.
Json intent(const Json& object) {
  Json rest = object;
  rest.erase("metadata");
  rest.erase("status");
  rest.erase("apiVersion");
  return rest;
}

// Equal but for what the server itself writes on every change.
bool same(Json a, Json b) {
  for (Json* object : {&a, &b}) {
    (*object)["metadata"].erase("managedFields");
    (*object)["metadata"].erase("resourceVersion");
  }
  return a == b;
}

void copy_field(Json& to, const Json& from, const char* field) {
  if (from.contains(field)) {
    to[field] = from[field];
  } else {
    to.erase(field);
  }
}

// What only the server writes stays as it was.
void keep_server_fields(Json& metadata, const Json& before) {
  for (const char* field : {"uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
                            "generation", "generateName"}) {
    copy_field(metadata, before, field);
  }
}

}  // namespace

Writes::Writes(Storage& storage, TypeRegistry& types, const Clock& clock)
    : storage_(storage), types_(types), clock_(clock) {}

std::string Writes::now_text() const { return text::format_time(clock_.now()); }

ObjectId Writes::id_of(const WriteRequest& request) const {
  return {TypeRegistry::resource_name(*request.type), request.ns, request.name};
}

Json Writes::in_version(Json object, const schema::ResourceType& type, const schema::Version& version) {
  object["apiVersion"] = type.api_version(version.name);
  return object;
}

std::optional<ApiStatus> Writes::check_identity(const WriteRequest& request, Json& object) const {
  if (!object.is_object()) return bad_request("the body is not a JSON object");
  const auto& type = *request.type;
  const std::string expected = type.api_version(request.version->name);
  if (json::string_at(object, "kind", type.kind) != type.kind ||
      json::string_at(object, "apiVersion", expected) != expected) {
    return bad_request("the object provided is " + json::string_at(object, "apiVersion") + " " +
                       json::string_at(object, "kind") + ", expected " + expected + " " + type.kind);
  }
  object["kind"] = type.kind;
  object["apiVersion"] = expected;
  if (!object.contains("metadata") || !object["metadata"].is_object()) object["metadata"] = Json::object();
  Json& metadata = object["metadata"];
  if (const auto errors = check_metadata(metadata); !errors.empty()) {
    return invalid(type.kind, type.group, json::string_at(metadata, "name", request.name), errors);
  }
  for (const char* field : {"labels", "annotations", "finalizers", "ownerReferences"}) {
    if (json::find(metadata, field) && metadata[field].is_null()) metadata.erase(field);
  }
  const std::string ns = json::string_at(metadata, "namespace", request.ns);
  if (type.namespaced && ns != request.ns) {
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request");
  }
  if (type.namespaced)
    metadata["namespace"] = request.ns;
  else
    metadata.erase("namespace");
  const std::string name = json::string_at(metadata, "name", request.name);
  if (!request.name.empty() && name != request.name) {
    return bad_request("the name of the object (" + name + ") does not match the name on the URL (" +
                       request.name + ")");
  }
  if (!name.empty()) metadata["name"] = name;
  return std::nullopt;
}

std::optional<ApiStatus> Writes::check_namespace(const WriteRequest& request) const {
  if (!request.type->namespaced) return std::nullopt;
  const auto stored = storage_.get({"namespaces", "", request.ns});
  if (!stored) return not_found("namespaces", "", request.ns);
  if (!json::find(stored->parse(), "metadata.deletionTimestamp")) return std::nullopt;
  return ApiStatus{403, "Forbidden",
                   request.type->plural + " is forbidden: unable to create new content in namespace " +
                       request.ns + " because it is being terminated"};
}

std::optional<ApiStatus> Writes::check_schema(WriteRequest& request, Json& object, const Json* before) const {
  const Json& schema = request.version->schema;
  const auto unknown = schema::prune(object, schema);
  if (!unknown.empty() && request.validation != FieldValidation::kIgnore) {
    std::string list;
    for (const auto& field : unknown)
      list += (list.empty() ? "" : ", ") + ("unknown field \"" + field + "\"");
    if (request.validation == FieldValidation::kStrict) return bad_request("strict decoding error: " + list);
    request.warnings.push_back(list);
  }
  schema::apply_defaults(object, schema);
  auto errors = schema::validate(object, schema);
  if (const auto& rules = request.version->rules) {
    if (auto instead = schema::rules_not_checked(errors)) {
      errors.push_back(std::move(*instead));
    } else {
      for (auto& error : schema::broken_rules(*rules, schema, object, before))
        errors.push_back(std::move(error));
    }
  }
  if (errors.empty()) return std::nullopt;
  return invalid(request.type->kind, request.type->group, json::string_at(object, "metadata.name"), errors);
}

std::optional<ApiStatus> Writes::check_version(const WriteRequest& request, const Json& object,
                                               const Json& before) const {
  const auto& type = *request.type;
  const auto given = json::string_at(object, "metadata.resourceVersion");
  const auto uid = json::string_at(object, "metadata.uid");
  if (!uid.empty() && uid != json::string_at(before, "metadata.uid")) {
    return conflict(type.plural, type.group, request.name,
                    "the object has been deleted and made anew: its uid is another one");
  }
  if (given.empty() || given == "0" || given == json::string_at(before, "metadata.resourceVersion"))
    return std::nullopt;
  return conflict(
      type.plural, type.group, request.name,
      "the object has been modified; please apply your changes to the latest version and try again");
}

Outcome<Json> Writes::admit(WriteRequest& request, Json now, const Json* before) {
  const bool has_status = request.version->status;
  if (before && request.subresource == "status") {
    Json whole = *before;
    copy_field(whole, now, "status");
    copy_field(whole["metadata"], now["metadata"], "managedFields");
    now = std::move(whole);
  } else if (before && has_status) {
    copy_field(now, *before, "status");
  } else if (!before && has_status) {
    now.erase("status");
  }
  now["apiVersion"] = request.type->api_version(request.version->name);
  Json& metadata = now["metadata"];
  if (before) {
    keep_server_fields(metadata, (*before)["metadata"]);
  } else {
    metadata["uid"] = make_uid();
    metadata["creationTimestamp"] = now_text();
    metadata["generation"] = 1;
    for (const char* field :
         {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"})
      metadata.erase(field);
  }
  if (auto refused = prepare(*request.type, now, before, now_text())) return *refused;
  if (auto refused = check_schema(request, now, before)) return *refused;
  if (before && intent(now) != intent(*before))
    now["metadata"]["generation"] = json::int_at(*before, "metadata.generation") + 1;
  return now;
}

Outcome<Writes::Written> Writes::store(WriteRequest& request, Json now, const Json* before) {
  const auto& type = *request.type;
  const bool created = before == nullptr;
  if (before && same(now, *before)) return Written{in_version(*before, type, *request.version), false};
  if (request.dry_run) return Written{in_version(std::move(now), type, *request.version), created};
  const bool going = json::find(now, "metadata.deletionTimestamp") != nullptr;
  const ObjectId id{TypeRegistry::resource_name(type), request.ns, json::string_at(now, "metadata.name")};
  now["apiVersion"] = type.api_version(type.storage_version().name);
  if (going && !held_by_finalizers(type, now) &&
      json::int_at(now, "metadata.deletionGracePeriodSeconds") == 0) {
    if (auto refused = erase(type, id, now)) return *refused;
    return Written{in_version(std::move(now), type, *request.version), false};
  }
  auto stored = storage_.put(id, now);
  if (!stored) return from_error(stored.error());
  now["metadata"]["resourceVersion"] = std::to_string((*stored)->revision);
  if (is_definition(type)) serve_definition(types_, before, &now);
  return Written{in_version(std::move(now), type, *request.version), created};
}

Outcome<Writes::Written> Writes::create(WriteRequest& request, Json object) {
  const auto& type = *request.type;
  if (auto refused = check_identity(request, object)) return *refused;
  Json& metadata = object["metadata"];
  if (!json::string_at(metadata, "resourceVersion").empty())
    return bad_request("resourceVersion should not be set on objects to be created");
  const std::string prefix = json::string_at(metadata, "generateName");
  if (json::string_at(metadata, "name").empty() && !prefix.empty()) {
    metadata["name"] = prefix.substr(0, kMaxNameLength - 5) + random_text(5, "bcdfghjklmnpqrstvwxz2456789");
  }
  const std::string name = json::string_at(metadata, "name");
  if (name.empty()) {
    return invalid(
        type.kind, type.group, "",
        {{"metadata.name", "FieldValueRequired", "Required value: name or generateName is required"}});
  }
  if (!is_name_of(type, name)) return name_problem(type, name);
  if (auto refused = check_namespace(request)) return *refused;
  if (storage_.get({TypeRegistry::resource_name(type), request.ns, name}))
    return already_exists(type.plural, type.group, name);
  auto admitted = admit(request, std::move(object), nullptr);
  if (!admitted) return admitted.refusal();
  const schema::ApplyOptions owner{request.manager, now_text(), type.api_version(request.version->name),
                                   request.subresource, false};
  if (json::array_at(*admitted, "metadata.managedFields").empty())
    schema::record_update(*admitted, nullptr, request.version->schema, owner);
  return store(request, std::move(*admitted), nullptr);
}

Outcome<Writes::Written> Writes::update(WriteRequest& request, Json object) {
  const auto& type = *request.type;
  if (auto refused = check_identity(request, object)) return *refused;
  const auto stored = storage_.get(id_of(request));
  if (!stored) return not_found(type.plural, type.group, request.name);
  const Json before = in_version(stored->parse(), type, *request.version);
  if (auto refused = check_version(request, object, before)) return *refused;
  copy_field(object["metadata"], before["metadata"], "managedFields");
  auto admitted = admit(request, std::move(object), &before);
  if (!admitted) return admitted.refusal();
  const schema::ApplyOptions owner{request.manager, now_text(), type.api_version(request.version->name),
                                   request.subresource, false};
  schema::record_update(*admitted, &before, request.version->schema, owner);
  return store(request, std::move(*admitted), &before);
}

Outcome<Json> Writes::patched(const WriteRequest& request, PatchKind kind, const Json& before,
                              const Json& patch) const {
  auto result = [&]() -> Result<Json> {
    switch (kind) {
      case PatchKind::kJson:
        return schema::json_patch(before, patch);
      case PatchKind::kMerge:
        return schema::json_merge_patch(before, patch);
      case PatchKind::kStrategicMerge:
        return schema::strategic_merge_patch(before, patch, request.version->schema);
      case PatchKind::kApply:
        break;
    }
    return before;
  }();
  if (result) return std::move(*result);
  const auto& type = *request.type;
  if (result.error().code == ErrorCode::kConflict) {
    return ApiStatus{
        422, "Invalid",
        "the server rejected our request due to an error in our request: " + result.error().detail};
  }
  return ApiStatus{
      422, "Invalid",
      type.kind + " \"" + request.name + "\": the patch can't be applied: " + result.error().detail};
}

Outcome<Writes::Written> Writes::patch(WriteRequest& request, PatchKind kind, const Json& patch) {
  const auto& type = *request.type;
  const auto stored = storage_.get(id_of(request));
  if (!stored && kind != PatchKind::kApply) return not_found(type.plural, type.group, request.name);
  const std::optional<Json> before =
      stored ? std::optional(in_version(stored->parse(), type, *request.version)) : std::nullopt;
  const schema::ApplyOptions owner{request.manager, now_text(), type.api_version(request.version->name),
                                   request.subresource, request.force};
  if (kind == PatchKind::kApply) {
    Json applied = patch;
    if (auto refused = check_identity(request, applied)) return *refused;
    auto merged =
        schema::server_side_apply(before ? &*before : nullptr, applied, request.version->schema, owner);
    if (!merged && merged.error().code == ErrorCode::kConflict) {
      return apply_conflict(merged.error().detail);
    }
    if (!merged) return from_error(merged.error());
    if (!before) return create(request, std::move(*merged));
    if (auto refused = check_version(request, applied, *before)) return *refused;
    auto admitted = admit(request, std::move(*merged), &*before);
    if (!admitted) return admitted.refusal();
    return store(request, std::move(*admitted), &*before);
  }
  auto result = patched(request, kind, *before, patch);
  if (!result) return result.refusal();
  if (auto refused = check_identity(request, *result)) return *refused;
  if (auto refused = check_version(request, *result, *before)) return *refused;
  auto admitted = admit(request, std::move(*result), &*before);
  if (!admitted) return admitted.refusal();
  schema::record_update(*admitted, &*before, request.version->schema, owner);
  return store(request, std::move(*admitted), &*before);
}

void Writes::orphan_dependants(const std::string& uid) {
  for (const auto& type : types_.all()) {
    const auto resource = TypeRegistry::resource_name(*type);
    for (const auto& [id, stored] : storage_.list(resource, "")) {
      if (stored->bytes->find(uid) == std::string::npos) continue;
      Json object = stored->parse();
      Json& owners = object["metadata"]["ownerReferences"];
      if (!owners.is_array()) continue;
      const auto before = owners.size();
      owners.erase(std::remove_if(owners.begin(), owners.end(),
                                  [&](const Json& owner) { return json::string_at(owner, "uid") == uid; }),
                   owners.end());
      if (owners.size() != before) (void)storage_.put(id, std::move(object));
    }
  }
}

std::optional<ApiStatus> Writes::erase(const schema::ResourceType& type, const ObjectId& id,
                                       const Json& object) {
  if (is_definition(type) && !remove_instances(object))
    return ApiStatus{409, "Conflict", id.name + " still has instances"};
  if (auto removed = storage_.remove(id); !removed) return from_error(removed.error());
  if (is_definition(type)) serve_definition(types_, &object, nullptr);
  if (!type.builtin) finish_definition(type);
  return std::nullopt;
}

bool Writes::remove_instances(const Json& definition) {
  const auto type = types_.find(json::string_at(definition, "spec.group"),
                                json::string_at(definition, "spec.names.plural"));
  if (!type || type->builtin) return true;
  const auto resource = TypeRegistry::resource_name(*type);
  for (const auto& [id, stored] : storage_.list(resource, "")) {
    WriteRequest request;
    request.type = type;
    request.version = &type->storage_version();
    request.ns = id.ns;
    request.name = id.name;
    (void)remove(request, {});  // one that stays is held by finalizers
  }
  return storage_.list(resource, "").empty();
}

void Writes::finish_definition(const schema::ResourceType& instance) {
  const ObjectId id{"customresourcedefinitions.apiextensions.k8s.io", "",
                    instance.plural + "." + instance.group};
  const auto stored = storage_.get(id);
  if (!stored || !storage_.list(TypeRegistry::resource_name(instance), "").empty()) return;
  Json definition = stored->parse();
  if (!json::find(definition, "metadata.deletionTimestamp")) return;
  Json left = Json::array();
  for (const auto& finalizer : json::array_at(definition, "metadata.finalizers")) {
    if (finalizer != kInstanceCleanup) left.push_back(finalizer);
  }
  definition["metadata"]["finalizers"] = left;
  if (!left.empty()) {
    (void)storage_.put(id, std::move(definition));
    return;
  }
  if (storage_.remove(id)) serve_definition(types_, &definition, nullptr);
}

Outcome<Writes::Deleted> Writes::remove(WriteRequest& request, const DeleteOptions& options) {
  const auto& type = *request.type;
  const ObjectId id = id_of(request);
  const auto stored = storage_.get(id);
  if (!stored) return not_found(type.plural, type.group, request.name);
  Json object = stored->parse();
  const std::string uid = json::string_at(object, "metadata.uid");
  if ((!options.uid.empty() && options.uid != uid) ||
      (!options.resource_version.empty() &&
       options.resource_version != json::string_at(object, "metadata.resourceVersion"))) {
    return conflict(type.plural, type.group, request.name,
                    "the precondition in the DeleteOptions does not hold");
  }
  if (request.dry_run) return Deleted{in_version(std::move(object), type, *request.version), true};
  if (options.propagation == "Orphan") orphan_dependants(uid);
  const auto hold = [&](const char* finalizer) {
    Json& finalizers = object["metadata"]["finalizers"];
    if (std::find(finalizers.begin(), finalizers.end(), finalizer) == finalizers.end())
      finalizers.push_back(finalizer);
  };
  // The garbage collector lets go of the owner once the dependants are gone.
  if (options.propagation == "Foreground") hold("foregroundDeletion");
  if (is_definition(type) && !remove_instances(object)) hold(kInstanceCleanup);
  const std::int64_t grace = grace_seconds(type, object, options);
  const bool held = held_by_finalizers(type, object) || grace > 0;
  if (!held) {
    if (auto refused = erase(type, id, object)) return *refused;
    return Deleted{in_version(std::move(object), type, *request.version), true};
  }
  Json& metadata = object["metadata"];
  const bool shorter = metadata.contains("deletionGracePeriodSeconds") &&
                       grace < json::int_at(metadata, "deletionGracePeriodSeconds");
  if (!metadata.contains("deletionTimestamp") || shorter) {
    metadata["deletionTimestamp"] = text::format_time(clock_.now() + std::chrono::seconds(grace));
    metadata["deletionGracePeriodSeconds"] = grace;
    metadata["generation"] = json::int_at(metadata, "generation") + 1;
    mark_terminating(type, object);
    auto written = storage_.put(id, object);
    if (!written) return from_error(written.error());
    metadata["resourceVersion"] = std::to_string((*written)->revision);
  }
  return Deleted{in_version(std::move(object), type, *request.version), false};
}

}  // namespace tidegate::apiserver
