// SPDX-License-Identifier: Apache-2.0
// The built-in kinds that the controllers read: only the fields that something uses. Thread: none; plain
// values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/object.h"

namespace tidegate::api {

inline constexpr Resource kNamespaces{"", "v1", "namespaces", "Namespace", false};
inline constexpr Resource kServices{"", "v1", "services", "Service"};
inline constexpr Resource kSecrets{"", "v1", "secrets", "Secret"};
inline constexpr Resource kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline constexpr Resource kPods{"", "v1", "pods", "Pod"};
inline constexpr Resource kEvents{"", "v1", "events", "Event"};
inline constexpr Resource kReplicaSets{"apps", "v1", "replicasets", "ReplicaSet"};
inline constexpr Resource kDeployments{"apps", "v1", "deployments", "Deployment"};
inline constexpr Resource kJobs{"batch", "v1", "jobs", "Job"};
inline constexpr Resource kEndpointSlices{"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"};
inline constexpr Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};

// On a Service: a client that met it on a route where traffic is split meets it again. The name of the cookie
// for that, then a slash and what the cookie is good for: with something else there, all are dealt anew.
inline constexpr const char* kStickySplitAnnotation = "tidegate.dev/sticky-split";

struct Namespace {
  Meta meta;
};
Namespace decode_namespace(const Json& json);

struct ServicePort {
  std::string name;
  std::int32_t port = 0;
  std::string target_port;  // number or name, as text; empty: the port itself
  std::string protocol;     // TCP, UDP
  std::string app_protocol;
};
struct Service {
  Meta meta;
  Labels selector;  // empty: endpoints are managed by someone else
  std::vector<ServicePort> ports;
  std::string type;
};
Service decode_service(const Json& json);

struct SliceEndpoint {
  std::vector<std::string> addresses;
  bool ready = true;  // absent means ready
  bool serving = true;
  bool terminating = false;
  std::string target_pod;
};
struct SlicePort {
  std::string name;
  std::int32_t port = 0;
  std::string protocol, app_protocol;
};
struct EndpointSlice {
  Meta meta;
  std::string service;  // label kubernetes.io/service-name
  std::string address_type;
  std::vector<SliceEndpoint> endpoints;
  std::vector<SlicePort> ports;
};
EndpointSlice decode_endpoint_slice(const Json& json);

struct Secret {
  Meta meta;
  std::string type;
  std::map<std::string, std::string> data;  // base64 decoded
};
Secret decode_secret(const Json& json);

struct ConfigMap {
  Meta meta;
  std::map<std::string, std::string> data;
};
ConfigMap decode_config_map(const Json& json);

struct ReplicaSet {
  Meta meta;
  std::int32_t replicas = 1;  // wanted
  Labels selector;            // matchLabels
  std::int32_t min_ready_seconds = 0;
  std::int32_t status_replicas = 0, ready_replicas = 0, available_replicas = 0;
  std::int64_t observed_generation = 0;
};
ReplicaSet decode_replica_set(const Json& json);

struct ContainerPort {
  std::string name;
  std::int32_t port = 0;
};
struct Probe {
  std::string http_path;  // httpGet; empty: tcpSocket
  std::string port;       // number or name, as text
  std::int32_t initial_delay_seconds = 0, period_seconds = 10, timeout_seconds = 1, failure_threshold = 3,
               success_threshold = 1;
};
struct EnvVar {
  std::string name, value;
  std::string field_path;  // valueFrom.fieldRef; empty: value
};
struct Container {
  std::string name, image;
  std::vector<std::string> command, args;
  std::vector<EnvVar> env;
  std::vector<ContainerPort> ports;
  std::optional<Probe> readiness, liveness;
};
struct Pod {
  Meta meta;
  std::vector<Container> containers;
  std::int32_t termination_grace_seconds = 30;
  std::string node, phase, ip;
  bool ready = false;  // condition Ready
  std::optional<TimePoint> ready_since;
};
Pod decode_pod(const Json& json);

}  // namespace tidegate::api
