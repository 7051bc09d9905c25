// SPDX-License-Identifier: Apache-2.0
#include "api/workload.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::api {
namespace {

constexpr std::size_t kMaxRevision = 63;  // as long as a label's value

ServiceSlots decode_slots(const FieldReader& at) {
  ServiceSlots out;
  const auto names = at.texts("slots");
  const bool two = names.size() == 2 && names[0] != names[1];
  if (two && text::is_dns_label(names[0]) && text::is_dns_label(names[1])) {
    out.slots = {names[0], names[1]};
  } else {
    at.problem("slots", "the names of two Services");
  }
  out.revision = at.text("revision");
  if (out.revision.empty() || out.revision.size() > kMaxRevision)
    at.problem("revision", "what the version is called, in 1 to 63 characters; another one starts a rollout");
  return out;
}

WorkloadRef decode_reference(const FieldReader& at) {
  using ScaleDown = WorkloadRef::ScaleDown;
  WorkloadRef out;
  if (at.has("kind") && at.text("kind") != "Deployment") at.problem("kind", "Deployment");
  out.name = at.text("name");
  if (!text::is_dns_subdomain(out.name)) at.problem("name", "the name of a Deployment");
  const std::string when = at.has("scaleDown") ? at.text("scaleDown") : "never";
  if (when == "progressively") {
    out.scale_down = ScaleDown::kProgressively;
  } else if (when == "onsuccess") {
    out.scale_down = ScaleDown::kOnSuccess;
  } else if (when != "never") {
    at.problem("scaleDown", "never, onsuccess or progressively");
  }
  return out;
}

}  // namespace

Workload decode_workload(const FieldReader& spec) {
  const char* const form = spec.has("services") ? "services" : "workloadRef";
  for (const auto* other : {"template", "workloadRef"}) {
    if (spec.has(form) && std::string_view(form) != other)
      spec.refuse(other, "nothing here beside spec." + std::string(form));
  }
  if (spec.has("services")) return decode_slots(spec.child("services"));
  if (spec.has("workloadRef")) return decode_reference(spec.child("workloadRef"));
  return PodTemplate{};
}

std::shared_ptr<const Json> decode_pod_template(const FieldReader& holder) {
  if (!holder.has("template")) {
    holder.problem("template", "a pod template");
    return std::make_shared<const Json>(Json::object());
  }
  const FieldReader at = holder.child("template");
  auto out = std::make_shared<const Json>(*holder.raw("template"));
  if (json::object_at(*out, "metadata.labels").empty())
    at.problem("metadata.labels", "labels, by which the pods are selected");
  if (json::array_at(*out, "spec.containers").empty())
    at.problem("spec.containers", "at least one container");
  return out;
}

}  // namespace tidegate::api
