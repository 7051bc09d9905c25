// SPDX-License-Identifier: Apache-2.0
#include "gateway/tls_secret.h"

#include "gateway/pem.h"
#include "gateway/problems.h"
#include "gateway/references.h"

namespace tidegate::gateway {
namespace {

// Why the Secret can't be used; empty: it can.
std::string fault_of(const api::Secret& secret) {
  const auto crt = secret.data.find("tls.crt");
  const auto key = secret.data.find("tls.key");
  const std::string name = "Secret " + to_string(secret.meta.key());
  if (crt == secret.data.end() || key == secret.data.end())
    return name + " lacks " + (crt == secret.data.end() ? "tls.crt" : "tls.key") + ": expected both as PEM";
  if (!has_pem_block(crt->second, "CERTIFICATE"))
    return name + " has no PEM certificate in tls.crt: expected a block BEGIN CERTIFICATE";
  if (!has_pem_block(key->second, "PRIVATE KEY"))
    return name + " has no PEM key in tls.key: expected a block BEGIN PRIVATE KEY";
  return {};
}

}  // namespace

TlsSecret find_tls_secret(const ClusterState& state, const std::string& ns, api::ObjectReference reference) {
  TlsSecret out;
  if (reference.ns.empty()) reference.ns = ns;
  if (!reference.group.empty() || reference.kind != "Secret") {
    out.field = ".kind";
    out.fault = shown(reference.group + "/" + reference.kind) + " is not supported: expected a Secret";
    return out;
  }
  out.permitted = is_permitted(state.grants, {api::kGatewayGroup, "Gateway", ns}, reference);
  if (!out.permitted) {
    out.fault = "no ReferenceGrant in namespace " + shown(reference.ns) + " lets Gateways of namespace " +
                shown(ns) + " use Secret " + shown(reference.name);
    return out;
  }
  const api::Key key{reference.ns, reference.name};
  const auto found = state.secrets.find(key);
  out.fault = found == state.secrets.end() ? "Secret " + to_string(key) + " does not exist"
                                           : fault_of(*found->second);
  if (out.fault.empty()) out.secret = found->second.get();
  return out;
}

}  // namespace tidegate::gateway
