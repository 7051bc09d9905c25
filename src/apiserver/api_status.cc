// SPDX-License-Identifier: Apache-2.0
#include "apiserver/api_status.h"

#include <map>

#include "base/text.h"

namespace tidegate::apiserver {
namespace {

std::string qualified(const std::string& resource, const std::string& group) {
  return group.empty() ? resource : resource + "." + group;
}

Json about(const std::string& group, const std::string& kind, const std::string& name) {
  Json details = {{"name", name}, {"kind", kind}};
  if (!group.empty()) details["group"] = group;
  return details;
}

}  // namespace

Json to_json(const ApiStatus& status) {
  Json document = {{"kind", "Status"},    {"apiVersion", "v1"},      {"metadata", Json::object()},
                   {"status", "Failure"}, {"reason", status.reason}, {"message", status.message},
                   {"code", status.code}};
  if (!status.details.empty()) document["details"] = status.details;
  return document;
}

ApiStatus bad_request(const std::string& message) { return {400, "BadRequest", message}; }

ApiStatus not_found(const std::string& resource, const std::string& group, const std::string& name) {
  return {404, "NotFound", qualified(resource, group) + " \"" + name + "\" not found",
          about(group, resource, name)};
}

ApiStatus no_such_path() { return {404, "NotFound", "the server could not find the requested resource"}; }

ApiStatus already_exists(const std::string& resource, const std::string& group, const std::string& name) {
  return {409, "AlreadyExists", qualified(resource, group) + " \"" + name + "\" already exists",
          about(group, resource, name)};
}

ApiStatus conflict(const std::string& resource, const std::string& group, const std::string& name,
                   const std::string& why) {
  return {409, "Conflict",
          "Operation cannot be fulfilled on " + qualified(resource, group) + " \"" + name + "\": " + why,
          about(group, resource, name)};
}

ApiStatus apply_conflict(std::string_view fields) {
  ApiStatus status{409, "Conflict", {}};
  std::map<std::string, std::vector<std::string>> by_manager;
  Json causes = Json::array();
  for (const auto line : text::split(fields, '\n')) {
    const auto tab = line.find('\t');
    std::string field(line.substr(0, tab)),
        manager(tab == std::string_view::npos ? "" : line.substr(tab + 1));
    if (!field.starts_with('.')) field.insert(0, ".");
    causes.push_back({{"reason", "FieldManagerConflict"},
                      {"message", "conflict with \"" + manager + "\""},
                      {"field", field}});
    by_manager[manager].push_back(std::move(field));
  }
  const auto count = causes.size();
  status.message =
      "Apply failed with " + std::to_string(count) + (count == 1 ? " conflict: " : " conflicts: ");
  for (const auto& [manager, owned] : by_manager) {
    if (manager != by_manager.begin()->first) status.message += "\n";
    status.message += (owned.size() == 1 ? "conflict with \"" : "conflicts with \"") + manager + "\":";
    if (owned.size() == 1) status.message += " " + owned.front();
    if (owned.size() > 1) {
      for (const auto& field : owned) status.message += "\n- " + field;
    }
  }
  status.details["causes"] = std::move(causes);
  return status;
}

ApiStatus invalid(const std::string& kind, const std::string& group, const std::string& name,
                  const std::vector<schema::FieldError>& errors) {
  ApiStatus status{422, "Invalid",
                   (group.empty() ? kind : kind + "." + group) + " \"" + name + "\" is invalid: ",
                   about(group, kind, name)};
  if (errors.size() > 1) status.message += "[";
  for (const auto& error : errors) {
    if (&error != &errors.front()) status.message += ", ";
    status.message += error.field + ": " + error.message;
    status.details["causes"].push_back(
        {{"reason", error.reason}, {"message", error.message}, {"field", error.field}});
  }
  if (errors.size() > 1) status.message += "]";
  return status;
}

ApiStatus gone(const std::string& message) { return {410, "Expired", message}; }

ApiStatus method_not_allowed() {
  return {405, "MethodNotAllowed", "the server does not allow this method on the requested resource"};
}

ApiStatus unsupported_media_type(const std::string& message) {
  return {415, "UnsupportedMediaType", message};
}

ApiStatus from_error(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid:
      return bad_request(error.detail);
    case ErrorCode::kGone:
      return gone(error.detail);
    case ErrorCode::kLimit:
      return {413, "RequestEntityTooLarge", error.detail};
    case ErrorCode::kNotFound:
      return {404, "NotFound", error.detail};
    case ErrorCode::kConflict:
      return {409, "Conflict", error.detail};
    case ErrorCode::kForbidden:
      return {403, "Forbidden", error.detail};
    case ErrorCode::kUnavailable:
      return {503, "ServiceUnavailable", error.detail};
    case ErrorCode::kTimeout:
      return {504, "Timeout", error.detail};
    case ErrorCode::kCancelled:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return {500, "InternalError", error.detail};
  }
  return {};
}

}  // namespace tidegate::apiserver
