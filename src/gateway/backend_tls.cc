// SPDX-License-Identifier: Apache-2.0
#include "gateway/backend_tls.h"

#include <algorithm>
#include <memory>

#include "gateway/pem.h"

namespace tidegate::gateway {
namespace {

void report(PolicyNode& node, Reason reason, std::string field, std::string detail) {
  node.problems.push_back(
      {"BackendTLSPolicy", node.key(), "", "spec." + std::move(field), reason, std::move(detail)});
}

void refuse(PolicyNode& node, Reason reason, const std::string& field, const std::string& detail) {
  report(node, reason, field, detail);
  if (node.tls.invalid.empty())
    node.tls.invalid = "BackendTLSPolicy " + to_string(node.key()) + ": spec." + field + ": " + detail;
}

void take_ca(const ClusterState& state, PolicyNode& node, std::size_t index) {
  const auto& ref = node.policy->ca_refs[index];
  const std::string field = indexed("validation.caCertificateRefs", index);
  if (!ref.group.empty() || ref.kind != "ConfigMap") {
    return report(node, Reason::kInvalidCaKind, field + ".kind",
                  shown(ref.group + "/" + ref.kind) + " is not supported: expected a ConfigMap");
  }
  const api::Key key{node.policy->meta.ns, ref.name};
  const std::string name = "ConfigMap " + to_string(key);
  const auto fault = [&](const std::string& what) {
    report(node, Reason::kInvalidCaCertificateRef, field + ".name", name + what);
  };
  const auto map = state.config_maps.find(key);
  if (map == state.config_maps.end()) return fault(" does not exist");
  const auto pem = map->second->data.find("ca.crt");
  if (pem == map->second->data.end()) return fault(" lacks the key ca.crt: expected certificates as PEM");
  if (!has_pem_block(pem->second, "CERTIFICATE"))
    return fault(" has no PEM certificate in ca.crt: expected a block BEGIN CERTIFICATE");
  node.tls.ca_pem += pem->second;
  if (!node.tls.ca_pem.ends_with('\n')) node.tls.ca_pem += '\n';
}

void take_authorities(const ClusterState& state, PolicyNode& node) {
  const auto& policy = *node.policy;
  const std::string refs = "validation.caCertificateRefs";
  const std::string well_known = "validation.wellKnownCACertificates";
  if (!policy.well_known.empty() && policy.well_known != "System") {
    return refuse(node, Reason::kInvalidPolicy, well_known,
                  shown(policy.well_known) + " is not supported: expected \"System\"");
  }
  if (policy.well_known.empty() == policy.ca_refs.empty()) {
    return refuse(node, Reason::kInvalidPolicy, refs,
                  policy.ca_refs.empty() ? "is empty: expected ConfigMaps with CA certificates, or "
                                           "wellKnownCACertificates \"System\""
                                         : "is set beside wellKnownCACertificates: expected one of the two");
  }
  for (std::size_t i = 0; i < policy.ca_refs.size(); ++i) take_ca(state, node, i);
  if (!policy.ca_refs.empty() && node.tls.ca_pem.empty())
    refuse(node, Reason::kNoValidCaCertificate, refs, "not one reference gives a CA certificate");
}

void take_names(PolicyNode& node) {
  const auto& policy = *node.policy;
  node.tls.hostname = policy.hostname;
  if (policy.hostname.empty() || policy.hostname.find('*') != std::string::npos) {
    refuse(node, Reason::kInvalidPolicy, "validation.hostname",
           shown(policy.hostname) + ": expected the exact host name of the certificate");
  }
  for (std::size_t i = 0; i < policy.alt_names.size(); ++i) {
    const auto& name = policy.alt_names[i];
    const std::string field = indexed("validation.subjectAltNames", i);
    if (name.type != "Hostname" && name.type != "URI") {
      refuse(node, Reason::kInvalidPolicy, field + ".type",
             shown(name.type) + " is not supported: expected \"Hostname\" or \"URI\"");
    } else if (name.value.empty() || name.value.starts_with('.')) {
      refuse(node, Reason::kInvalidPolicy, field,
             shown(name.value) + ": expected the name that its type asks for");
    } else {
      (name.type == "URI" ? node.tls.uris : node.tls.dns_names).push_back(name.value);
    }
  }
}

}  // namespace

BackendTls::BackendTls(const ClusterState& state, std::vector<PolicyNode>& policies) {
  for (const auto& [key, policy] : state.tls_policies) policies.emplace_back().policy = policy;
  const auto age = [](const PolicyNode& node) { return std::pair(node.policy->meta.created, node.key()); };
  std::sort(policies.begin(), policies.end(), [&](const auto& a, const auto& b) { return age(a) < age(b); });
  for (auto& node : policies) {
    take_names(node);
    take_authorities(state, node);
    find_targets(node);
  }
}

void BackendTls::find_targets(PolicyNode& node) {
  std::size_t lost = 0;
  std::string winner;
  const auto& targets = node.policy->targets;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& target = targets[i];
    if (!target.group.empty() || target.kind != "Service") {
      report(node, Reason::kIgnoredField, indexed("targetRefs", i) + ".kind",
             shown(target.group + "/" + target.kind) + " is not supported: expected a Service");
      continue;
    }
    auto& all = by_target_[{node.policy->meta.ns, target.name, target.section_name}];
    if (!all.empty() && all.front() != &node) {
      ++lost;
      winner = to_string(all.front()->key());
    }
    all.push_back(&node);
  }
  if (lost == 0) return;
  // A part of it still has effect: no condition turns false of the rest.
  report(node, lost == targets.size() ? Reason::kConflictedPolicy : Reason::kIgnoredField, "targetRefs",
         std::to_string(lost) + " of " + std::to_string(targets.size()) + " are those of BackendTLSPolicy " +
             winner + ", which is older or first by name");
}

const routing::BackendTls* BackendTls::of(const api::Service& service, const api::ServicePort& port) const {
  for (const auto& section : {port.name, std::string()}) {
    const auto found = by_target_.find({service.meta.ns, service.meta.name, section});
    if (found != by_target_.end()) return &found->second.front()->tls;
  }
  return nullptr;
}

void BackendTls::note_use(RouteNode& route, const api::Service& service, const api::ServicePort& port) {
  for (const auto& section : {port.name, std::string()}) {
    const auto found = by_target_.find({service.meta.ns, service.meta.name, section});
    if (found == by_target_.end()) continue;
    for (auto* node : found->second) {
      route.policies.insert(node);
      for (const auto& parent : route.parents) node->gateways.insert(parent.gateway->key());
    }
  }
}

}  // namespace tidegate::gateway
