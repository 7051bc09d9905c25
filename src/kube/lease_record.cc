// SPDX-License-Identifier: Apache-2.0
#include "kube/lease_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/core.h"
#include "base/text.h"

namespace tidegate::kube {

LeaseRecord decode_lease(const Json& lease) {
  LeaseRecord record;
  record.resource_version = json::string_at(lease, "metadata.resourceVersion");
  record.holder = json::string_at(lease, "spec.holderIdentity");
  const auto seconds = json::int_at(lease, "spec.leaseDurationSeconds", kLeaseDuration / 1s);
  record.duration = std::chrono::seconds(std::clamp<std::int64_t>(seconds, 1, 3600));
  record.acquired = json::string_at(lease, "spec.acquireTime");
  record.renewed = json::string_at(lease, "spec.renewTime");
  record.transitions = json::int_at(lease, "spec.leaseTransitions");
  return record;
}

Json take_lease(Json lease, const api::Key& key, const std::string& identity, TimePoint now) {
  const auto before = decode_lease(lease);
  lease["apiVersion"] = api::kLeases.api_version();
  lease["kind"] = api::kLeases.kind;
  lease["metadata"]["namespace"] = key.ns;
  lease["metadata"]["name"] = key.name;
  auto& spec = lease["spec"];
  spec["holderIdentity"] = identity;
  spec["leaseDurationSeconds"] = kLeaseDuration / 1s;
  spec["renewTime"] = text::format_micro_time(now);
  if (before.holder == identity) return lease;
  spec["acquireTime"] = spec["renewTime"];
  spec["leaseTransitions"] = before.resource_version.empty() ? 0 : before.transitions + 1;
  return lease;
}

Json give_lease(Json lease, TimePoint now) {
  auto& spec = lease["spec"];
  spec["holderIdentity"] = "";
  spec["leaseDurationSeconds"] = 1;  // 0 is not allowed
  spec["renewTime"] = text::format_micro_time(now);
  return lease;
}

}  // namespace tidegate::kube
