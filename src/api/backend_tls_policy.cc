// SPDX-License-Identifier: Apache-2.0
#include "api/backend_tls_policy.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::api {

BackendTlsPolicy decode_backend_tls_policy(const Json& json) {
  BackendTlsPolicy policy;
  policy.meta = decode_meta(json);
  for (const auto& item : json::array_at(json, "spec.targetRefs")) {
    policy.targets.push_back({json::string_at(item, "group"), json::string_at(item, "kind"),
                              json::string_at(item, "name"), json::string_at(item, "sectionName")});
  }
  policy.hostname = text::lower(json::string_at(json, "spec.validation.hostname"));
  policy.well_known = json::string_at(json, "spec.validation.wellKnownCACertificates");
  for (const auto& item : json::array_at(json, "spec.validation.caCertificateRefs")) {
    policy.ca_refs.push_back(
        {json::string_at(item, "group"), json::string_at(item, "kind"), "", json::string_at(item, "name")});
  }
  for (const auto& item : json::array_at(json, "spec.validation.subjectAltNames")) {
    const std::string type = json::string_at(item, "type");
    policy.alt_names.push_back({type, json::string_at(item, type == "URI" ? "uri" : "hostname")});
  }
  for (const auto& item : json::array_at(json, "status.ancestors")) {
    policy.status.ancestors.push_back({decode_parent(json::object_at(item, "ancestorRef")),
                                       json::string_at(item, "controllerName"),
                                       decode_conditions(json::array_at(item, "conditions"))});
  }
  return policy;
}

Json encode_status(const PolicyStatus& status) {
  Json ancestors = Json::array();
  for (const auto& ancestor : status.ancestors) {
    ancestors.push_back(Json{{"ancestorRef", encode_parent(ancestor.parent)},
                             {"controllerName", ancestor.controller},
                             {"conditions", encode_conditions(ancestor.conditions)}});
  }
  return {{"ancestors", std::move(ancestors)}};
}

}  // namespace tidegate::api
