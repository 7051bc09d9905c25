// SPDX-License-Identifier: Apache-2.0
#include "api/core.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidegate::api {
namespace {

TEST(DecodeService, ReadsPortsInBothForms) {
  const Service service = decode_service(Json::parse(R"({"spec": {"selector": {"app": "x"}, "ports": [
      {"name": "http", "port": 80, "targetPort": "web", "appProtocol": "h2c"}, {"port": 81, "targetPort": 8081, "protocol": "UDP"}, {"port": 82}]}})"));
  ASSERT_EQ(service.ports.size(), 3U);
  EXPECT_EQ(service.ports[0].target_port, "web");
  EXPECT_EQ(service.ports[0].app_protocol, "h2c");
  EXPECT_EQ(service.ports[1].target_port, "8081");
  EXPECT_EQ(service.ports[1].protocol, "UDP");
  EXPECT_EQ(service.ports[2].target_port, "");
  EXPECT_EQ(service.ports[2].protocol, "TCP");
  EXPECT_EQ(service.selector, (Labels{{"app", "x"}}));
}

TEST(DecodeEndpointSlice, TakesAbsentConditionsAsReady) {
  const EndpointSlice slice =
      decode_endpoint_slice(Json::parse(R"({"metadata": {"labels": {"kubernetes.io/service-name": "shop"}},
      "addressType": "IPv4", "ports": [{"name": "http", "port": 8080}],
      "endpoints": [{"addresses": ["127.78.0.1"], "targetRef": {"kind": "Pod", "name": "a"}},
                    {"addresses": ["127.78.0.2"], "conditions": {"ready": false}},
                    {"addresses": ["127.78.0.3"], "conditions": {"ready": false, "serving": true, "terminating": true}}]})"));
  EXPECT_EQ(slice.service, "shop");
  ASSERT_EQ(slice.endpoints.size(), 3U);
  EXPECT_TRUE(slice.endpoints[0].ready && slice.endpoints[0].serving && !slice.endpoints[0].terminating);
  EXPECT_EQ(slice.endpoints[0].target_pod, "a");
  EXPECT_TRUE(!slice.endpoints[1].ready && !slice.endpoints[1].serving);
  EXPECT_TRUE(!slice.endpoints[2].ready && slice.endpoints[2].serving && slice.endpoints[2].terminating);
  ASSERT_EQ(slice.ports.size(), 1U);
  EXPECT_EQ(slice.ports[0].port, 8080);
}

TEST(DecodeSecret, DecodesBase64) {
  const Secret secret =
      decode_secret(Json::parse(R"({"type": "kubernetes.io/tls", "data": {"tls.crt": "YWJj", "bad": "%"}})"));
  EXPECT_EQ(secret.type, "kubernetes.io/tls");
  EXPECT_EQ(secret.data, (std::map<std::string, std::string>{{"tls.crt", "abc"}}));
}

TEST(DecodeReplicaSet, HasDefaults) {
  EXPECT_EQ(decode_replica_set(Json::object()).replicas, 1);
  EXPECT_EQ(decode_replica_set(Json::parse(R"({"spec": {"replicas": 0}, "status": {"readyReplicas": 2}})"))
                .replicas,
            0);
  EXPECT_EQ(decode_replica_set(Json::parse(R"({"spec": {"replicas": 5000000000}})")).replicas, 1);
}

TEST(DecodePod, ReadsContainersAndProbes) {
  const Pod pod = decode_pod(
      Json::parse(R"({"spec": {"terminationGracePeriodSeconds": 5, "containers": [{"name": "c", "image": "i",
      "command": ["/bin/x"], "args": ["-a"], "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
      "ports": [{"name": "http", "containerPort": 8080}],
      "readinessProbe": {"httpGet": {"path": "healthz", "port": "http"}, "periodSeconds": 1, "failureThreshold": 0},
      "livenessProbe": {"tcpSocket": {"port": 8080}}}, {"name": "d", "readinessProbe": {"exec": {"command": ["true"]}}}]},
      "status": {"phase": "Running", "podIP": "127.78.0.1",
                 "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2027-01-15T08:00:00Z"}]}})"));
  ASSERT_EQ(pod.containers.size(), 2U);
  const Container& first = pod.containers[0];
  EXPECT_EQ(first.command, std::vector<std::string>{"/bin/x"});
  ASSERT_EQ(first.env.size(), 2U);
  EXPECT_EQ(first.env[0].value, "1");
  EXPECT_EQ(first.env[1].field_path, "metadata.name");
  ASSERT_TRUE(first.readiness && first.liveness);
  EXPECT_EQ(first.readiness->http_path, "/healthz");
  EXPECT_EQ(first.readiness->port, "http");
  EXPECT_EQ(first.readiness->period_seconds, 1);
  EXPECT_EQ(first.readiness->failure_threshold, 3);
  EXPECT_EQ(first.liveness->http_path, "");
  EXPECT_EQ(first.liveness->port, "8080");
  EXPECT_FALSE(pod.containers[1].readiness);
  EXPECT_EQ(pod.termination_grace_seconds, 5);
  EXPECT_TRUE(pod.ready);
  EXPECT_EQ(pod.ready_since, TimePoint(std::chrono::seconds(1'800'000'000)));
}

}  // namespace
}  // namespace tidegate::api
