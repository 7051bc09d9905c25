// SPDX-License-Identifier: Apache-2.0
#include "api/core.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/condition.h"
#include "api/decode.h"
#include "base/text.h"

namespace tidegate::api {

Namespace decode_namespace(const Json& json) { return {decode_meta(json)}; }

Service decode_service(const Json& json) {
  Service service;
  service.meta = decode_meta(json);
  service.selector = decode_labels(json, "spec.selector");
  service.type = json::string_at(json, "spec.type", "ClusterIP");
  for (const auto& port : json::array_at(json, "spec.ports")) {
    service.ports.push_back({json::string_at(port, "name"), int32_at(port, "port"),
                             int_or_string_at(port, "targetPort"), json::string_at(port, "protocol", "TCP"),
                             json::string_at(port, "appProtocol")});
  }
  return service;
}

EndpointSlice decode_endpoint_slice(const Json& json) {
  EndpointSlice slice;
  slice.meta = decode_meta(json);
  if (const auto it = slice.meta.labels.find("kubernetes.io/service-name"); it != slice.meta.labels.end()) {
    slice.service = it->second;
  }
  slice.address_type = json::string_at(json, "addressType");
  for (const auto& item : json::array_at(json, "endpoints")) {
    SliceEndpoint endpoint;
    endpoint.addresses = decode_strings(item, "addresses");
    endpoint.ready = json::bool_at(item, "conditions.ready", true);
    endpoint.serving =
        json::bool_at(item, "conditions.serving", endpoint.ready);  // absent: as ready, says the API
    endpoint.terminating = json::bool_at(item, "conditions.terminating");
    if (json::string_at(item, "targetRef.kind") == "Pod")
      endpoint.target_pod = json::string_at(item, "targetRef.name");
    slice.endpoints.push_back(std::move(endpoint));
  }
  for (const auto& port : json::array_at(json, "ports")) {
    slice.ports.push_back({json::string_at(port, "name"), int32_at(port, "port"),
                           json::string_at(port, "protocol", "TCP"), json::string_at(port, "appProtocol")});
  }
  return slice;
}

// Values that are no base64 are left out: the API server refuses them.
Secret decode_secret(const Json& json) {
  Secret secret;
  secret.meta = decode_meta(json);
  secret.type = json::string_at(json, "type");
  for (const auto& [key, value] : decode_labels(json, "data")) {
    if (auto bytes = text::base64_decode(value)) secret.data.emplace(key, std::move(*bytes));
  }
  return secret;
}

ConfigMap decode_config_map(const Json& json) {
  ConfigMap map;
  map.meta = decode_meta(json);
  for (auto& [key, value] : decode_labels(json, "data")) map.data.emplace(key, value);
  return map;
}

ReplicaSet decode_replica_set(const Json& json) {
  ReplicaSet set;
  set.meta = decode_meta(json);
  set.replicas = int32_at(json, "spec.replicas", 1);
  set.selector = decode_labels(json, "spec.selector.matchLabels");
  set.min_ready_seconds = int32_at(json, "spec.minReadySeconds");
  set.status_replicas = int32_at(json, "status.replicas");
  set.ready_replicas = int32_at(json, "status.readyReplicas");
  set.available_replicas = int32_at(json, "status.availableReplicas");
  set.observed_generation = json::int_at(json, "status.observedGeneration");
  return set;
}

namespace {

std::int32_t positive_at(const Json& value, std::string_view path, std::int32_t fallback) {
  const std::int32_t number = int32_at(value, path, fallback);
  return number > 0 ? number : fallback;
}

// Forms that the runtime can't perform (exec, grpc) read as absent.
std::optional<Probe> decode_probe(const Json& container, std::string_view path) {
  const Json& from = json::object_at(container, path);
  Probe probe;
  if (const Json* http = json::find(from, "httpGet")) {
    probe.http_path = json::string_at(*http, "path", "/");
    if (!probe.http_path.starts_with('/')) probe.http_path.insert(0, "/");
    probe.port = int_or_string_at(*http, "port");
  } else {
    probe.port = int_or_string_at(from, "tcpSocket.port");
  }
  if (probe.port.empty()) return std::nullopt;
  probe.initial_delay_seconds = std::max(0, int32_at(from, "initialDelaySeconds"));
  probe.period_seconds = positive_at(from, "periodSeconds", 10);
  probe.timeout_seconds = positive_at(from, "timeoutSeconds", 1);
  probe.failure_threshold = positive_at(from, "failureThreshold", 3);
  probe.success_threshold = positive_at(from, "successThreshold", 1);
  return probe;
}

Container decode_container(const Json& from) {
  Container container;
  container.name = json::string_at(from, "name");
  container.image = json::string_at(from, "image");
  container.command = decode_strings(from, "command");
  container.args = decode_strings(from, "args");
  for (const auto& item : json::array_at(from, "env")) {
    container.env.push_back({json::string_at(item, "name"), json::string_at(item, "value"),
                             json::string_at(item, "valueFrom.fieldRef.fieldPath")});
  }
  for (const auto& item : json::array_at(from, "ports")) {
    container.ports.push_back({json::string_at(item, "name"), int32_at(item, "containerPort")});
  }
  container.readiness = decode_probe(from, "readinessProbe");
  container.liveness = decode_probe(from, "livenessProbe");
  return container;
}

}  // namespace

Pod decode_pod(const Json& json) {
  Pod pod;
  pod.meta = decode_meta(json);
  for (const auto& item : json::array_at(json, "spec.containers"))
    pod.containers.push_back(decode_container(item));
  pod.termination_grace_seconds = std::max(0, int32_at(json, "spec.terminationGracePeriodSeconds", 30));
  pod.node = json::string_at(json, "spec.nodeName");
  pod.phase = json::string_at(json, "status.phase");
  pod.ip = json::string_at(json, "status.podIP");
  const auto conditions = decode_conditions(json::array_at(json, "status.conditions"));
  if (const auto* ready = find_condition(conditions, "Ready"); ready && ready->status == "True") {
    pod.ready = true;
    pod.ready_since = ready->last_transition;
  }
  return pod;
}

}  // namespace tidegate::api
