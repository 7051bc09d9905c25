// SPDX-License-Identifier: Apache-2.0
#include "gateway/client_validation.h"

#include <algorithm>

#include "gateway/pem.h"
#include "gateway/references.h"

namespace tidegate::gateway {
namespace {

constexpr std::string_view kFallback = "AllowInsecureFallback";

// What holds for a port, and where it stands; null: nothing is asked.
struct Asked {
  const api::ClientValidation* validation = nullptr;
  std::string field;
};

Asked asked_of(const api::Gateway& gateway, std::int32_t port) {
  const auto ptr = [](const auto& validation) { return validation ? &*validation : nullptr; };
  const auto& ports = gateway.client_validation_per_port;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].port == port)
      return {ptr(ports[i].validation), indexed("spec.tls.frontend.perPort", i) + ".tls.validation"};
  }
  return {ptr(gateway.client_validation), "spec.tls.frontend.default.validation"};
}

void report(const GatewayNode& gateway, ListenerNode& listener, Reason reason, std::string field,
            std::string detail) {
  if (row(reason).condition == "Accepted") listener.accepted = listener.servable = false;
  listener.problems.push_back(
      {"Gateway", gateway.key(), listener.spec->name, std::move(field), reason, std::move(detail)});
}

// Null: there is no such object.
const std::map<std::string, std::string>* data_of(const ClusterState& state, std::string_view kind,
                                                  const api::Key& key) {
  if (kind == "Secret") {
    const auto found = state.secrets.find(key);
    return found == state.secrets.end() ? nullptr : &found->second->data;
  }
  const auto found = state.config_maps.find(key);
  return found == state.config_maps.end() ? nullptr : &found->second->data;
}

void take_authority(const ClusterState& state, const GatewayNode& gateway, ListenerNode& listener,
                    api::ObjectReference reference, const std::string& field) {
  const std::string& ns = gateway.gateway->meta.ns;
  if (reference.ns.empty()) reference.ns = ns;
  if (!reference.group.empty() || (reference.kind != "ConfigMap" && reference.kind != "Secret")) {
    return report(gateway, listener, Reason::kInvalidClientCaKind, field + ".kind",
                  shown(reference.group + "/" + reference.kind) +
                      " is not supported: expected a ConfigMap or a Secret");
  }
  if (!is_permitted(state.grants, {api::kGatewayGroup, "Gateway", ns}, reference)) {
    return report(gateway, listener, Reason::kClientCaRefNotPermitted, field,
                  "no ReferenceGrant in namespace " + shown(reference.ns) + " lets Gateways of namespace " +
                      shown(ns) + " use " + reference.kind + " " + shown(reference.name));
  }
  const api::Key key{reference.ns, reference.name};
  const auto fault = [&](const char* what) {
    report(gateway, listener, Reason::kInvalidClientCaRef, field + ".name",
           reference.kind + " " + to_string(key) + what);
  };
  const auto* data = data_of(state, reference.kind, key);
  if (data == nullptr) return fault(" does not exist");
  const auto pem = data->find("ca.crt");
  if (pem == data->end()) return fault(" lacks the key ca.crt: expected certificates as PEM");
  if (!has_pem_block(pem->second, "CERTIFICATE"))
    return fault(" has no PEM certificate in ca.crt: expected a block BEGIN CERTIFICATE");
  listener.clients->ca_pem += pem->second;
  if (!listener.clients->ca_pem.ends_with('\n')) listener.clients->ca_pem += '\n';
}

template <typename Visit>
bool any_validation(const api::Gateway& gateway, Visit visit) {
  const auto& ports = gateway.client_validation_per_port;
  return (gateway.client_validation && visit(*gateway.client_validation)) ||
         std::any_of(ports.begin(), ports.end(),
                     [&](const auto& of_port) { return of_port.validation && visit(*of_port.validation); });
}

}  // namespace

void check_client_validation(const ClusterState& state, const GatewayNode& gateway, ListenerNode& listener) {
  const auto [validation, field] = asked_of(*gateway.gateway, listener.spec->port);
  if (validation == nullptr) return;
  if (listener.spec->protocol != "HTTPS") {
    return report(gateway, listener, Reason::kIgnoredField, field,
                  "clients of this listener, of protocol " + listener.spec->protocol +
                      ", are not asked for certificates: it concerns HTTPS");
  }
  listener.clients.emplace().insecure_fallback = validation->mode == kFallback;
  if (validation->mode != kFallback && validation->mode != "AllowValidOnly") {
    report(gateway, listener, Reason::kUnsupportedListenerValue, field + ".mode",
           shown(validation->mode) + " is not known: expected AllowValidOnly or AllowInsecureFallback");
  }
  const std::string refs = field + ".caCertificateRefs";
  for (std::size_t i = 0; i < validation->ca_refs.size(); ++i)
    take_authority(state, gateway, listener, validation->ca_refs[i], indexed(refs, i));
  if (listener.clients->ca_pem.empty())
    report(gateway, listener, Reason::kNoValidClientCa, refs, "not one reference gives a CA certificate");
}

bool allows_insecure_fallback(const api::Gateway& gateway) {
  return any_validation(gateway, [](const auto& validation) { return validation.mode == kFallback; });
}

bool names_client_authority(const api::Gateway& gateway, std::string_view kind, const api::Key& key) {
  return any_validation(gateway, [&](const auto& validation) {
    return std::any_of(validation.ca_refs.begin(), validation.ca_refs.end(), [&](const auto& ref) {
      return ref.kind == kind && ref.name == key.name &&
             (ref.ns.empty() ? gateway.meta.ns : ref.ns) == key.ns;
    });
  });
}

}  // namespace tidegate::gateway
