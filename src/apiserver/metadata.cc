// SPDX-License-Identifier: Apache-2.0
#include "apiserver/metadata.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apiserver/limits.h"
#include "base/text.h"

namespace tidegate::apiserver {
namespace {

using Errors = std::vector<schema::FieldError>;

void mistyped(Errors& errors, const std::string& field, const Json& value, const std::string& expected) {
  errors.push_back(
      {field, "FieldValueTypeInvalid", "Invalid value: " + json::dump(value) + ": expected " + expected});
}

// [prefix/]name: as keys of labels and annotations and as finalizers.
bool is_qualified_name(std::string_view text) {
  const auto slash = text.find('/');
  if (slash != std::string_view::npos && !text::is_dns_subdomain(text::lower(text.substr(0, slash))))
    return false;
  const auto name = slash == std::string_view::npos ? text : text.substr(slash + 1);
  const auto alnum = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (name.empty() || name.size() > kMaxLabelLength || !alnum(name.front()) || !alnum(name.back()))
    return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_label_value(std::string_view text) {
  return text.empty() || (text.find('/') == std::string_view::npos && is_qualified_name(text));
}

void check_strings_by_key(Errors& errors, const Json& metadata, const std::string& field, bool labels) {
  const Json* values = json::find(metadata, field);
  if (!values || values->is_null()) return;
  const std::string path = "metadata." + field;
  if (!values->is_object()) return mistyped(errors, path, *values, "an object of strings");
  for (const auto& [key, value] : values->items()) {
    if (!is_qualified_name(key)) {
      errors.push_back(
          {path, "FieldValueInvalid",
           "Invalid value: \"" + key +
               "\": expected [prefix/]name of letters, digits, '-', '_' and '.', the name at most 63 long"});
    } else if (!value.is_string()) {
      mistyped(errors, path + "[" + key + "]", value, "a string");
    } else if (labels && !is_label_value(value.get_ref<const std::string&>())) {
      errors.push_back(
          {path, "FieldValueInvalid",
           "Invalid value: " + json::dump(value) +
               ": expected at most 63 letters, digits, '-', '_' and '.', first and last a letter or digit"});
    }
  }
}

void check_finalizers(Errors& errors, const Json& metadata) {
  const Json* finalizers = json::find(metadata, "finalizers");
  if (!finalizers || finalizers->is_null()) return;
  if (!finalizers->is_array())
    return mistyped(errors, "metadata.finalizers", *finalizers, "a list of strings");
  for (const auto& finalizer : *finalizers) {
    if (!finalizer.is_string()) mistyped(errors, "metadata.finalizers", finalizer, "a string");
  }
}

void check_owners(Errors& errors, const Json& metadata) {
  const Json* owners = json::find(metadata, "ownerReferences");
  if (!owners || owners->is_null()) return;
  if (!owners->is_array())
    return mistyped(errors, "metadata.ownerReferences", *owners, "a list of references");
  std::size_t controllers = 0;
  for (std::size_t i = 0; i < owners->size(); ++i) {
    const std::string path = "metadata.ownerReferences[" + std::to_string(i) + "]";
    for (const char* field : {"apiVersion", "kind", "name", "uid"}) {
      if (json::string_at((*owners)[i], field).empty()) {
        errors.push_back({path + "." + field, "FieldValueRequired", "Required value: expected a string"});
      }
    }
    if (json::bool_at((*owners)[i], "controller") && ++controllers == 2) {
      errors.push_back(
          {path, "FieldValueInvalid",
           "Invalid value: " + json::dump((*owners)[i]) + ": only one owner can be the controller"});
    }
  }
}

}  // namespace

std::vector<schema::FieldError> check_metadata(const Json& metadata) {
  Errors errors;
  for (const char* field : {"name", "namespace", "generateName", "uid", "resourceVersion",
                            "creationTimestamp", "deletionTimestamp"}) {
    const Json* value = json::find(metadata, field);
    if (value && !value->is_null() && !value->is_string())
      mistyped(errors, std::string("metadata.") + field, *value, "a string");
  }
  check_strings_by_key(errors, metadata, "labels", true);
  check_strings_by_key(errors, metadata, "annotations", false);
  check_finalizers(errors, metadata);
  check_owners(errors, metadata);
  return errors;
}

}  // namespace tidegate::apiserver
