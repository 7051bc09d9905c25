// SPDX-License-Identifier: Apache-2.0
#include "local/slice_plan.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"

namespace tidegate::local {
namespace {

bool selects(const api::Labels& selector, const api::Labels& labels) {
  return std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
    const auto it = labels.find(wanted.first);
    return it != labels.end() && it->second == wanted.second;
  });
}

std::optional<std::int32_t> resolve_port(const api::ServicePort& port, const api::Pod* pod) {
  if (port.target_port.empty()) return port.port;
  if (const auto number = text::parse_int(port.target_port)) return static_cast<std::int32_t>(*number);
  if (!pod) return std::nullopt;
  for (const auto& container : pod->containers) {
    for (const auto& candidate : container.ports) {
      if (candidate.name == port.target_port) return candidate.port;
    }
  }
  return std::nullopt;
}

// Ports that the pod can't resolve are left out, as Kubernetes does. Without a pod: those that need none.
Json slice_ports(const api::Service& service, const api::Pod* pod) {
  Json ports = Json::array();
  for (const auto& port : service.ports) {
    const auto number = resolve_port(port, pod);
    if (!number) continue;
    Json item = {{"name", port.name}, {"port", *number}, {"protocol", port.protocol}};
    if (!port.app_protocol.empty()) item["appProtocol"] = port.app_protocol;
    ports.push_back(std::move(item));
  }
  return ports;
}

Json endpoint(const api::Pod& pod) {
  const bool terminating = pod.meta.deleted.has_value();
  Json out = {
      {"addresses", {pod.ip}},
      {"conditions",
       {{"ready", pod.ready && !terminating}, {"serving", pod.ready}, {"terminating", terminating}}},
      {"targetRef",
       {{"kind", "Pod"}, {"namespace", pod.meta.ns}, {"name", pod.meta.name}, {"uid", pod.meta.uid}}}};
  if (!pod.node.empty()) out["nodeName"] = pod.node;
  return out;
}

Json slice(const api::Service& service, const std::string& name, Json ports, Json endpoints) {
  const api::OwnerReference owner{"v1", "Service", service.meta.name, service.meta.uid, true};
  Json labels = Json::object();
  for (const auto& [key, value] : service.meta.labels) labels[key] = value;
  labels[std::string(kServiceNameLabel)] = service.meta.name;
  labels[std::string(kManagedByLabel)] = kSliceManager;
  return {{"apiVersion", "discovery.k8s.io/v1"},
          {"kind", "EndpointSlice"},
          {"metadata",
           {{"namespace", service.meta.ns},
            {"name", name},
            {"labels", labels},
            {"ownerReferences", Json::array({api::to_json(owner)})}}},
          {"addressType", "IPv4"},
          {"ports", std::move(ports)},
          {"endpoints", std::move(endpoints)}};
}

bool has_endpoint(const api::Pod& pod) {
  return !pod.ip.empty() && pod.phase != "Succeeded" && pod.phase != "Failed";
}

}  // namespace

// Its name holds a piece of the uid: a Service that was deleted and made again does not meet its own old
// slice.
std::string main_slice_name(const api::Service& service) {
  return service.meta.name + "-" + text::safe_hash(service.meta.uid).substr(0, 5);
}

std::vector<Json> plan_slices(const api::Service& service, const std::vector<const api::Pod*>& pods,
                              const Json& main_ports) {
  std::map<std::string, std::pair<Json, Json>> groups;  // by the ports as text: ports, endpoints
  for (const auto* pod : pods) {
    if (!selects(service.selector, pod->meta.labels) || !has_endpoint(*pod)) continue;
    Json ports = slice_ports(service, pod);
    auto& group = groups[json::dump(ports)];
    group.first = std::move(ports);
    if (!group.second.is_array()) group.second = Json::array();
    group.second.push_back(endpoint(*pod));
  }
  if (groups.empty())
    return {slice(service, main_slice_name(service), slice_ports(service, nullptr), Json::array())};

  auto main = groups.find(json::dump(main_ports));
  if (main == groups.end()) main = groups.begin();
  std::vector<Json> out = {slice(service, main_slice_name(service), main->second.first, main->second.second)};
  for (auto it = groups.begin(); it != groups.end(); ++it) {
    if (it == main) continue;
    const std::string name =
        service.meta.name + "-" + text::safe_hash(service.meta.uid + it->first).substr(0, 5);
    out.push_back(slice(service, name, it->second.first, it->second.second));
  }
  return out;
}

}  // namespace tidegate::local
