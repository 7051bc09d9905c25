// SPDX-License-Identifier: Apache-2.0
// The writing half: create, update, patch, delete, and the subresources scale and finalize.
#include <nlohmann/json.hpp>

#include "apiserver/call.h"
#include "apiserver/lifecycle.h"
#include "apiserver/scale.h"
#include "apiserver/schema/patch.h"
#include "base/text.h"

namespace tidegate::apiserver {
namespace {

std::optional<PatchKind> patch_kind(const std::string& content_type) {
  if (content_type == "application/json-patch+json") return PatchKind::kJson;
  if (content_type == "application/merge-patch+json") return PatchKind::kMerge;
  if (content_type == "application/strategic-merge-patch+json") return PatchKind::kStrategicMerge;
  if (content_type == "application/apply-patch+yaml" || content_type == "application/apply-patch+json")
    return PatchKind::kApply;
  return std::nullopt;
}

FieldValidation validation_of(const std::string& text) {
  if (text == "Strict") return FieldValidation::kStrict;
  return text == "Ignore" ? FieldValidation::kIgnore : FieldValidation::kWarn;
}

DeleteOptions delete_options(const Json& body, const Query& query) {
  DeleteOptions options;
  options.propagation =
      json::string_at(body, "propagationPolicy", query.get("propagationPolicy", "Background"));
  if (json::bool_at(body, "orphanDependents")) options.propagation = "Orphan";
  if (const Json* seconds = json::find(body, "gracePeriodSeconds"); seconds && seconds->is_number_integer()) {
    options.grace_seconds = seconds->get<std::int64_t>();
  } else if (auto number = text::parse_int(query.get("gracePeriodSeconds"))) {
    options.grace_seconds = *number;
  }
  options.uid = json::string_at(body, "preconditions.uid");
  options.resource_version = json::string_at(body, "preconditions.resourceVersion");
  return options;
}

Json success(const schema::ResourceType& type, const Json& object) {
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", Json::object()},
          {"status", "Success"},
          {"details",
           {{"name", json::string_at(object, "metadata.name")},
            {"group", type.group},
            {"kind", type.plural},
            {"uid", json::string_at(object, "metadata.uid")}}}};
}

}  // namespace

WriteRequest Api::write_request(const Call& call) const {
  WriteRequest request;
  request.type = call.type;
  request.version = call.version;
  request.ns = call.about.ns;
  request.name = call.about.name;
  request.subresource = call.about.subresource;
  const auto agent = call.request.head.headers.get("User-Agent").value_or("unknown");
  request.manager = call.query.get("fieldManager", agent.substr(0, agent.find('/')));
  request.validation = validation_of(call.query.get("fieldValidation"));
  request.dry_run = call.query.get("dryRun") == "All";
  request.force = call.query.is_true("force");
  return request;
}

void Api::send_written(const Call& call, const WriteRequest& request, Outcome<Writes::Written> outcome) {
  if (!outcome) return call.refuse(outcome.refusal());
  send_object(call, outcome->created ? 201 : 200, outcome->object, request.warnings);
}

void Api::write(const Call& call) {
  WriteRequest request = write_request(call);
  const auto& method = call.method();
  if (method == "PATCH" && !request.name.empty()) return patch(call, request);
  if (method == "DELETE")
    return request.name.empty() ? remove_collection(call, request) : remove(call, request);
  const bool create = method == "POST" && request.name.empty();
  const bool update = method == "PUT" && !request.name.empty();
  if (!create && !update) return call.refuse(method_not_allowed());
  if (create && call.type->namespaced && request.ns.empty()) return call.refuse(method_not_allowed());
  auto body = call.body();
  if (!body) return call.refuse(body.refusal());
  if (request.subresource == "finalize") return finalize(call, request);
  auto outcome =
      create ? writes_.create(request, std::move(*body)) : writes_.update(request, std::move(*body));
  send_written(call, request, std::move(outcome));
}

void Api::patch(const Call& call, WriteRequest& request) {
  const auto kind = patch_kind(call.content_type());
  const char* accepted =
      "the body of the request was in an unknown format - accepted media types include: "
      "application/json-patch+json, "
      "application/merge-patch+json, application/apply-patch+yaml";
  if (!kind || (*kind == PatchKind::kStrategicMerge && !call.type->builtin))
    return call.refuse(unsupported_media_type(accepted));
  if (*kind == PatchKind::kApply && call.query.get("fieldManager").empty()) {
    return call.refuse(bad_request(
        "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch"));
  }
  auto body = call.body();
  if (!body) return call.refuse(body.refusal());
  auto outcome = writes_.patch(request, *kind, *body);
  send_written(call, request, std::move(outcome));
}

void Api::remove(const Call& call, WriteRequest& request) {
  Json body = Json::object();
  if (!call.request.body.empty()) {
    auto parsed = call.body();
    if (!parsed) return call.refuse(parsed.refusal());
    body = std::move(*parsed);
  }
  request.dry_run = request.dry_run || !json::array_at(body, "dryRun").empty();
  auto outcome = writes_.remove(request, delete_options(body, call.query));
  if (!outcome) return call.refuse(outcome.refusal());
  if (outcome->gone) return call.answer(200, success(*call.type, outcome->object));
  send_object(call, 200, outcome->object);
}

void Api::remove_collection(const Call& call, WriteRequest& request) {
  auto labels = LabelSelector::parse(call.query.get("labelSelector"));
  if (!labels) return call.refuse(from_error(labels.error()));
  auto fields = FieldSelector::parse(call.query.get("fieldSelector"));
  if (!fields) return call.refuse(from_error(fields.error()));
  const DeleteOptions options = delete_options(Json::object(), call.query);
  for (const auto& [id, stored] : storage_.list(TypeRegistry::resource_name(*call.type), call.about.ns)) {
    if (!labels->matches(stored->labels) || !fields->matches(id, *stored)) continue;
    WriteRequest one = request;
    one.ns = id.ns;
    one.name = id.name;
    auto outcome = writes_.remove(one, options);
    if (!outcome && outcome.refusal().code != 404) return call.refuse(outcome.refusal());
  }
  call.answer(200, success(*call.type, Json::object()));
}

// Whoever finalises a namespace says so with an empty list (namespaces/NAME/finalize).
void Api::finalize(const Call& call, WriteRequest& request) {
  auto body = call.body();
  if (!body) return call.refuse(body.refusal());
  const auto stored = storage_.get(writes_.id_of(request));
  if (!stored) return call.refuse(not_found(call.type->plural, call.type->group, request.name));
  Json object = Writes::in_version(stored->parse(), *call.type, *call.version);
  object["spec"]["finalizers"] = json::array_at(*body, "spec.finalizers");
  request.subresource.clear();
  auto outcome = writes_.update(request, std::move(object));
  send_written(call, request, std::move(outcome));
}

void Api::scale(const Call& call) {
  const auto& paths = *call.version->scale;
  const auto stored = storage_.get({TypeRegistry::resource_name(*call.type), call.about.ns, call.about.name});
  if (!stored) return call.refuse(not_found(call.type->plural, call.type->group, call.about.name));
  Json object = Writes::in_version(stored->parse(), *call.type, *call.version);
  if (call.method() == "GET") return call.answer(200, scale_of(object, paths));
  if (call.method() != "PUT" && call.method() != "PATCH") return call.refuse(method_not_allowed());
  auto wanted = call.body();
  if (!wanted) return call.refuse(wanted.refusal());
  if (call.method() == "PATCH") {
    const Json before = scale_of(object, paths);
    auto patched = patch_kind(call.content_type()) == PatchKind::kJson
                       ? schema::json_patch(before, *wanted)
                       : schema::json_merge_patch(before, *wanted);
    if (!patched) return call.refuse(from_error(patched.error()));
    *wanted = std::move(*patched);
  }
  if (auto refused = apply_scale(object, *wanted, paths)) return call.refuse(*refused);
  WriteRequest request = write_request(call);
  request.subresource.clear();
  auto outcome = writes_.update(request, std::move(object));
  if (!outcome) return call.refuse(outcome.refusal());
  call.answer(200, scale_of(outcome->object, paths));
}

}  // namespace tidegate::apiserver
