// SPDX-License-Identifier: Apache-2.0
#include "gateway/client_certificate.h"

#include "base/assert.h"
#include "gateway/tls_secret.h"

namespace tidegate::gateway {

void check_client_certificate(const ClusterState& state, GatewayNode& node) {
  const auto& reference = node.gateway->client_certificate;
  if (!reference) return;
  const auto found = find_tls_secret(state, node.gateway->meta.ns, *reference);
  if (found.secret != nullptr) {
    node.identity = {"Secret " + to_string(found.secret->meta.key()), found.secret->data.at("tls.crt"),
                     found.secret->data.at("tls.key")};
    return;
  }
  const std::string field = "spec.tls.backend.clientCertificateRef" + found.field;
  node.no_identity = "Gateway " + to_string(node.key()) + ": " + field + ": " + found.fault;
  node.problems.push_back(
      {"Gateway", node.key(), "", field,
       found.permitted ? Reason::kInvalidClientCertificateRef : Reason::kClientCertificateRefNotPermitted,
       found.fault});
}

void IdentifiedBackends::lead_there(const GatewayNode& gateway, std::vector<routing::Rule>& rules) {
  if (!gateway.gateway->client_certificate) return;
  for (auto& rule : rules) {
    for (auto& choice : rule.backends) choice.backend = of(gateway, choice.backend);
    for (auto& filter : rule.filters) {
      if (auto* mirror = std::get_if<routing::Mirror>(&filter))
        mirror->backend = of(gateway, mirror->backend);
    }
  }
}

std::uint32_t IdentifiedBackends::of(const GatewayNode& gateway, std::uint32_t backend) {
  TIDEGATE_ASSERT(backend < common_);
  if (!backends_[backend].tls) return backend;
  const auto next = static_cast<std::uint32_t>(backends_.size());
  const auto [it, added] = made_.try_emplace({gateway.identity, gateway.no_identity, backend}, next);
  if (!added) return it->second;
  routing::Backend identified = backends_[backend];
  identified.tls->identity = gateway.identity;
  if (identified.tls->invalid.empty()) identified.tls->invalid = gateway.no_identity;
  backends_.push_back(std::move(identified));
  return next;
}

}  // namespace tidegate::gateway
