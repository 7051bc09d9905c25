// SPDX-License-Identifier: Apache-2.0
// x-kubernetes-validations of a schema: compiled once with the CRD, then asked about each object that has
// passed structural validation. A tree beside the schema, with a node for each schema that has rules or holds
// some that do. Not here: the language (../cel). Pure and bounded. Thread: any; shared as const.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/cel/program.h"
#include "apiserver/schema/structural.h"

namespace tidegate::apiserver::schema {

struct Rule {
  cel::Program program;
  std::string text, message, reason;  // reason: FieldValueInvalid where the rule names none
  std::optional<cel::Program> message_expression;
  std::string at;  // fieldPath, behind the path of the object that the rule is about: ".tls.mode"
  bool optional_old_self = false;
  bool transition = false;  // asks about oldSelf: without one it is not evaluated, unless that is optional
};

struct Rules {
  std::vector<Rule> own;
  std::map<std::string, Rules, std::less<>> properties;
  std::unique_ptr<Rules> items, values;  // of lists, of maps

  bool empty() const { return own.empty() && properties.empty() && !items && !values; }
};
using RulesPtr = std::shared_ptr<const Rules>;

// Those of a CRD's schema, which stands at `field` in the CRD; nullptr where it has none. Errors (kInvalid):
// "FIELD: what is wrong", such as a rule that does not compile.
Result<RulesPtr> compile_rules(const Json& schema, const std::string& field);

// Which of them an object breaks, in the order of the schema's fields. `before` is what the object replaces,
// or nullptr: rules about oldSelf need it, and what it broke already in a value that stays as it was is let
// be.
std::vector<FieldError> broken_rules(const Rules& rules, const Json& schema, const Json& object,
                                     const Json* before);

// What stands instead where structural errors left an object that rules cannot be asked about; nothing where
// `errors` are of kinds that do no harm to rules.
std::optional<FieldError> rules_not_checked(const std::vector<FieldError>& errors);

}  // namespace tidegate::apiserver::schema
