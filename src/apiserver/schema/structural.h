// SPDX-License-Identifier: Apache-2.0
// Structural schemas at work (apiextensions.k8s.io/v1): defaults, pruning, validation. Pure and total;
// recursion is bounded by json::kMaxDepth. metadata, apiVersion and kind are always kept. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace tidegate::apiserver::schema {

// One cause of a 422, in the form that kubectl prints: "spec.replicas: Invalid value: -1: should be greater
// than or equal to 0".
struct FieldError {
  std::string field;    // "spec.rules[2].name"
  std::string reason;   // FieldValueInvalid, FieldValueRequired, FieldValueNotSupported,
                        // FieldValueTypeInvalid, FieldValueDuplicate, ...
  std::string message;  // with the offending value and what was expected
};

void apply_defaults(Json& object, const Json& schema);

// Removes fields that the schema does not know; returns their paths ("spec.foo"), for fieldValidation=Strict
// and Warn.
std::vector<std::string> prune(Json& object, const Json& schema);

// type, nullable, required, enum, format, pattern, minimum.., minLength.., minItems.., minProperties..,
// uniqueItems, list-type set and map keys, x-kubernetes-int-or-string, oneOf/anyOf/allOf/not.
// Not here: x-kubernetes-validations (rules.h).
std::vector<FieldError> validate(const Json& object, const Json& schema);

// A CRD's schema itself: known types, patterns that compile, schemas where schemas belong. `field` is where
// it stands in the CRD.
std::vector<FieldError> check_schema(const Json& schema, const std::string& field);

}  // namespace tidegate::apiserver::schema
