// SPDX-License-Identifier: Apache-2.0
// The pure decisions of the small controllers: replicas, rolling updates, slices, ownership.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "local/deployment_objects.h"
#include "local/owner_graph.h"
#include "local/replica_plan.h"
#include "local/served_resource.h"
#include "local/slice_plan.h"

namespace tidegate::local {
namespace {

using namespace std::chrono_literals;

const TimePoint kNow(std::chrono::seconds(1'800'000'000));

api::Pod make_pod(std::string name, bool ready = true, Duration age = 60s) {
  api::Pod pod;
  pod.meta.ns = "shop";
  pod.meta.name = std::move(name);
  pod.meta.uid = "uid-" + pod.meta.name;
  pod.meta.created = kNow - age;
  pod.meta.labels = {{"app", "shop"}};
  pod.ip = "127.78.0.1";
  pod.ready = ready;
  if (ready) pod.ready_since = kNow - age;
  return pod;
}

std::vector<const api::Pod*> pointers(const std::vector<api::Pod>& pods) {
  std::vector<const api::Pod*> out;
  for (const auto& pod : pods) out.push_back(&pod);
  return out;
}

TEST(ReplicaPlan, CreatesWhatIsMissing) {
  const std::vector<api::Pod> pods = {make_pod("a")};
  const auto plan = plan_replicas(3, 0, pointers(pods), 0, kNow);
  EXPECT_EQ(plan.create, 2);
  EXPECT_TRUE(plan.remove.empty());
  EXPECT_EQ(plan.status, (ReplicaStatus{1, 1, 1}));
}

TEST(ReplicaPlan, CountsWhatIsOnItsWay) {
  const std::vector<api::Pod> pods = {make_pod("a")};
  EXPECT_EQ(plan_replicas(3, 0, pointers(pods), 2, kNow).create, 0);
  EXPECT_EQ(plan_replicas(3, 0, pointers(pods), 1, kNow).create, 1);
}

TEST(ReplicaPlan, RemovesUnreadyOnesThenTheNewest) {
  const std::vector<api::Pod> pods = {make_pod("old", true, 90s), make_pod("new", true, 10s),
                                      make_pod("unready", false, 95s)};
  EXPECT_EQ(plan_replicas(2, 0, pointers(pods), 0, kNow).remove, std::vector<std::string>({"unready"}));
  EXPECT_EQ(plan_replicas(1, 0, pointers(pods), 0, kNow).remove,
            std::vector<std::string>({"unready", "new"}));
  EXPECT_TRUE(plan_replicas(1, 0, pointers(pods), 1, kNow).remove.empty()) << "creations are on their way";
}

TEST(ReplicaPlan, ReplacesTerminatingAndEndedPods) {
  std::vector<api::Pod> pods = {make_pod("a"), make_pod("b")};
  pods[0].meta.deleted = kNow;
  pods[1].phase = "Failed";
  const auto plan = plan_replicas(2, 0, pointers(pods), 0, kNow);
  EXPECT_EQ(plan.create, 2);
  EXPECT_EQ(plan.status, ReplicaStatus{});
}

TEST(ReplicaPlan, AvailableIsReadyLongEnough) {
  const std::vector<api::Pod> pods = {make_pod("a", true, 60s), make_pod("b", true, 4s),
                                      make_pod("c", true, 2s)};
  const auto plan = plan_replicas(3, 10, pointers(pods), 0, kNow);
  EXPECT_EQ(plan.status, (ReplicaStatus{3, 3, 1}));
  EXPECT_EQ(plan.recheck, Duration(6s));
}

TEST(PodFromTemplate, CarriesTheTemplateAndItsOwner) {
  const Json set =
      Json::parse(R"({"metadata": {"namespace": "shop", "name": "web-1", "uid": "u"}, "spec": {"template": {
      "metadata": {"labels": {"app": "web"}, "annotations": {"a": "b"}}, "spec": {"containers": [{"name": "c"}]}}}})");
  const Json pod = pod_from_template(api::kReplicaSets, set, "web-1-abcde");
  EXPECT_EQ(json::string_at(pod, "metadata.name"), "web-1-abcde");
  EXPECT_EQ(json::string_at(pod, "metadata.labels.app"), "web");
  EXPECT_EQ(json::string_at(pod, "/spec/containers/0/name"), "c");
  EXPECT_EQ(api::decode_meta(pod).owners,
            (std::vector<api::OwnerReference>{{"apps/v1", "ReplicaSet", "web-1", "u", true}}));
}

DeploymentSpec spec_of(std::int32_t replicas, std::int32_t surge, std::int32_t unavailable) {
  DeploymentSpec spec;
  spec.replicas = replicas;
  spec.max_surge = surge;
  spec.max_unavailable = unavailable;
  return spec;
}

TEST(DeploymentSpecs, ResolvePercentages) {
  struct Case {
    const char* spec;
    std::int32_t surge, unavailable;
  };
  for (const auto& [text, surge, unavailable] : {
           Case{R"({"replicas": 4})", 1, 1},
           Case{R"({"replicas": 3})", 1, 0},
           Case{
               R"({"replicas": 10, "strategy": {"rollingUpdate": {"maxSurge": "15%", "maxUnavailable": 3}}})",
               2, 3},
           Case{R"({"replicas": 2, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "10%"}}})",
                0, 1},
       }) {
    const auto spec = decode_deployment_spec({{"spec", Json::parse(text)}});
    EXPECT_EQ(spec.max_surge, surge) << text;
    EXPECT_EQ(spec.max_unavailable, unavailable) << text;
  }
}

TEST(RolloutPlan, ScalesTheFirstSetAtOnce) {
  EXPECT_EQ(plan_rollout(spec_of(3, 1, 0), {"new"}, {}), (std::vector<Scale>{{"new", 3}}));
  EXPECT_EQ(plan_rollout(spec_of(1, 1, 0), {"new", 3, 3, 3, 3}, {}), (std::vector<Scale>{{"new", 1}}));
  EXPECT_TRUE(plan_rollout(spec_of(3, 1, 0), {"new", 3, 3, 3, 3}, {}).empty());
}

TEST(RolloutPlan, SurgesBeforeItTakesAway) {
  const auto spec = spec_of(3, 1, 0);
  EXPECT_EQ(plan_rollout(spec, {"new"}, {{"old", 3, 3, 3, 3}}), (std::vector<Scale>{{"new", 1}}));
  EXPECT_TRUE(plan_rollout(spec, {"new", 1, 1, 0, 0}, {{"old", 3, 3, 3, 3}}).empty())
      << "the new pod is not available yet";
  EXPECT_EQ(plan_rollout(spec, {"new", 1, 1, 1, 1}, {{"old", 3, 3, 3, 3}}), (std::vector<Scale>{{"old", 2}}));
}

TEST(RolloutPlan, TakesBrokenOldPodsFirst) {
  const auto spec = spec_of(3, 1, 1);
  const auto scales = plan_rollout(spec, {"new", 1, 1, 1, 1},
                                   {{"older", 1, 1, 0, 0, kNow - 2s}, {"old", 2, 2, 2, 2, kNow - 1s}});
  EXPECT_EQ(scales.front(), (Scale{"older", 0}));
}

// Whatever the numbers: while old pods stand and new ones become available one by one, neither bound is ever
// broken, and it ends.
TEST(RolloutPlan, KeepsItsBoundsToTheEnd) {
  for (std::int32_t replicas = 1; replicas <= 6; ++replicas) {
    for (std::int32_t surge = 0; surge <= 3; ++surge) {
      for (std::int32_t unavailable = surge == 0 ? 1 : 0; unavailable <= 2; ++unavailable) {
        const auto spec = spec_of(replicas, surge, unavailable);
        SetState fresh{"new"}, old{"old", replicas, replicas, replicas, replicas};
        int rounds = 0;
        for (; (fresh.available < replicas || old.replicas > 0) && rounds < 100; ++rounds) {
          for (const auto& scale : plan_rollout(spec, fresh, {old}))
            (scale.name == "new" ? fresh : old).replicas = scale.replicas;
          old.current = old.ready = old.available = std::min(old.available, old.replicas);
          fresh.current = fresh.replicas;
          EXPECT_LE(fresh.replicas + old.replicas, replicas + surge);
          EXPECT_GE(fresh.available + old.available, replicas - unavailable);
          if (fresh.available < fresh.replicas) fresh.ready = ++fresh.available;
        }
        EXPECT_LT(rounds, 100) << replicas << " replicas, surge " << surge << ", unavailable " << unavailable;
      }
    }
  }
}

TEST(RolloutPlan, RecreateEmptiesFirst) {
  auto spec = spec_of(2, 0, 1);
  spec.recreate = true;
  EXPECT_EQ(plan_rollout(spec, {"new"}, {{"old", 2, 2, 2, 2}}), (std::vector<Scale>{{"old", 0}}));
  EXPECT_TRUE(plan_rollout(spec, {"new"}, {{"old", 0, 1, 0, 0}}).empty()) << "an old pod is still there";
  EXPECT_EQ(plan_rollout(spec, {"new"}, {{"old"}}), (std::vector<Scale>{{"new", 2}}));
}

api::Object deployment_object(const char* text) { return api::make_object(Json::parse(text)); }

TEST(DeploymentStatusJson, SaysWhatRolloutStatusReads) {
  const auto deployment =
      deployment_object(R"({"metadata": {"name": "web", "generation": 2}, "spec": {"replicas": 2}})");
  const auto spec = decode_deployment_spec(*deployment.json);
  const auto done = deployment_status(spec, {"new", 2, 2, 2, 2}, {});
  const Json status = deployment_status_json(deployment, spec, done, kNow);
  EXPECT_EQ(json::int_at(status, "observedGeneration"), 2);
  EXPECT_EQ(json::int_at(status, "updatedReplicas"), 2);
  EXPECT_EQ(json::string_at(status, "/conditions/0/status"), "True");
  EXPECT_EQ(json::string_at(status, "/conditions/1/reason"), "NewReplicaSetAvailable");
}

TEST(DeploymentStatusJson, TimesOutWithoutProgress) {
  auto deployment = deployment_object(
      R"({"metadata": {"name": "web", "generation": 1}, "spec": {"replicas": 2, "progressDeadlineSeconds": 60}})");
  const auto spec = decode_deployment_spec(*deployment.json);
  const auto stuck = deployment_status(spec, {"new", 2, 2, 0, 0}, {});
  Json json = *deployment.json;
  json["status"] = deployment_status_json(deployment, spec, stuck, kNow);
  deployment = api::make_object(json);
  EXPECT_EQ(deployment_status_json(deployment, spec, stuck, kNow + 30s), json["status"])
      << "nothing to write while nothing happens";
  const Json late = deployment_status_json(deployment, spec, stuck, kNow + 61s);
  EXPECT_EQ(json::string_at(late, "/conditions/1/reason"), "ProgressDeadlineExceeded");
}

TEST(ReplicaSetOf, HasTheHashEverywhere) {
  const auto deployment =
      deployment_object(R"({"metadata": {"namespace": "shop", "name": "web", "uid": "d"}, "spec": {
      "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {}}}})");
  const auto spec = decode_deployment_spec(*deployment.json);
  const Json set = replica_set_of(deployment, spec, 3);
  EXPECT_EQ(json::string_at(set, "metadata.name"), "web-" + spec.template_hash);
  for (const char* path :
       {"/spec/selector/matchLabels/pod-template-hash", "/spec/template/metadata/labels/pod-template-hash",
        "/metadata/labels/pod-template-hash"}) {
    EXPECT_EQ(json::string_at(set, path), spec.template_hash) << path;
  }
  EXPECT_EQ(revision_of(api::decode_meta(set)), 3);
}

api::Service make_service(std::string target_port) {
  api::Service service;
  service.meta.ns = "shop";
  service.meta.name = "web";
  service.meta.uid = "s";
  service.selector = {{"app", "shop"}};
  service.ports = {{"http", 80, std::move(target_port), "TCP", ""}};
  return service;
}

TEST(SlicePlan, ListsSelectedPodsWithTheirConditions) {
  std::vector<api::Pod> pods = {make_pod("a"), make_pod("b", false), make_pod("c"), make_pod("d"),
                                make_pod("e")};
  pods[2].meta.deleted = kNow;
  pods[3].meta.labels = {{"app", "other"}};
  pods[4].ip.clear();
  const auto slices = plan_slices(make_service("8080"), pointers(pods), Json());
  ASSERT_EQ(slices.size(), 1U);
  const auto slice = api::decode_endpoint_slice(slices[0]);
  EXPECT_EQ(slice.service, "web");
  EXPECT_EQ(slice.address_type, "IPv4");
  ASSERT_EQ(slice.ports.size(), 1U);
  EXPECT_EQ(slice.ports[0].port, 8080);
  ASSERT_EQ(slice.endpoints.size(), 3U);
  EXPECT_TRUE(slice.endpoints[0].ready && slice.endpoints[0].serving && !slice.endpoints[0].terminating);
  EXPECT_TRUE(!slice.endpoints[1].ready && !slice.endpoints[1].serving);
  EXPECT_TRUE(!slice.endpoints[2].ready && slice.endpoints[2].serving && slice.endpoints[2].terminating);
  EXPECT_EQ(slice.meta.owners, (std::vector<api::OwnerReference>{{"v1", "Service", "web", "s", true}}));
}

TEST(SlicePlan, KeepsOneEmptySlice) {
  const auto slices = plan_slices(make_service(""), {}, Json());
  ASSERT_EQ(slices.size(), 1U);
  EXPECT_EQ(json::int_at(slices[0], "/ports/0/port"), 80);
  EXPECT_TRUE(json::array_at(slices[0], "endpoints").empty());
}

TEST(SlicePlan, SplitsByWhatANamedPortMeans) {
  std::vector<api::Pod> pods = {make_pod("a"), make_pod("b"), make_pod("c")};
  for (std::size_t i = 0; i < pods.size(); ++i) {
    api::Container container;
    container.ports = {{"web", i == 1 ? 9090 : 8080}};
    pods[i].containers = {container};
  }
  const auto service = make_service("web");
  auto slices = plan_slices(service, pointers(pods), Json());
  ASSERT_EQ(slices.size(), 2U);
  EXPECT_EQ(json::string_at(slices[0], "metadata.name"), main_slice_name(service));
  EXPECT_EQ(json::int_at(slices[0], "/ports/0/port"), 8080);
  EXPECT_EQ(json::array_at(slices[0], "endpoints").size(), 2U);
  // The main slice keeps its ports while any pod has them.
  const Json main_ports = json::array_at(slices[1], "ports");
  slices = plan_slices(service, pointers(pods), main_ports);
  EXPECT_EQ(json::string_at(slices[0], "metadata.name"), main_slice_name(service));
  EXPECT_EQ(json::int_at(slices[0], "/ports/0/port"), 9090);
}

GraphNode node(std::string uid, std::vector<std::string> owners, bool deleted = false,
               std::vector<std::string> finalizers = {}) {
  GraphNode out{api::kPods, {}};
  out.meta.uid = uid;
  out.meta.name = uid;
  for (const auto& owner : owners) out.meta.owners.push_back({"v1", "Pod", owner, owner, false});
  out.meta.finalizers = std::move(finalizers);
  if (deleted) out.meta.deleted = kNow;
  return out;
}

using Kind = Collection::Kind;

TEST(OwnerGraph, DeletesWhatHasLostItsLastOwner) {
  OwnerGraph graph;
  graph.put(node("a", {}));
  graph.put(node("b", {"a", "x"}));
  EXPECT_EQ(plan_collection(graph, "b").kind, Kind::kNothing);
  graph.remove("a");
  EXPECT_EQ(plan_collection(graph, "a").uids, std::vector<std::string>{"b"});
  const auto plan = plan_collection(graph, "b");
  EXPECT_EQ(plan.kind, Kind::kDelete);
  EXPECT_EQ(plan.unknown.size(), 2U) << "to be looked for first";
  EXPECT_EQ(plan_collection(graph, "none").kind, Kind::kNothing);
}

TEST(OwnerGraph, DeletesDependentsFirstInTheForeground) {
  OwnerGraph graph;
  graph.put(node("a", {}, true, {std::string(kForegroundFinalizer)}));
  graph.put(node("b", {"a"}));
  EXPECT_EQ(plan_collection(graph, "a").kind, Kind::kDeleteDependents);
  EXPECT_EQ(plan_collection(graph, "b").kind, Kind::kDelete);
  graph.remove("b");
  EXPECT_EQ(plan_collection(graph, "a").kind, Kind::kReleaseForeground);
}

TEST(OwnerGraph, OrphansWhereAsked) {
  OwnerGraph graph;
  graph.put(node("a", {}, true, {std::string(kOrphanFinalizer)}));
  graph.put(node("b", {"a"}));
  EXPECT_EQ(plan_collection(graph, "a").kind, Kind::kOrphan);
  EXPECT_EQ(plan_collection(graph, "b").kind, Kind::kNothing) << "its owner is still there";
}

TEST(OwnerGraph, ForgetsOldReferences) {
  OwnerGraph graph;
  graph.put(node("b", {"a"}));
  graph.put(node("b", {}));
  EXPECT_TRUE(graph.dependents("a").empty());
}

TEST(ResourceLists, KeepWhatCanBeCollected) {
  const auto resources = parse_resource_list(Json::parse(R"({"groupVersion": "apps/v1", "resources": [
      {"name": "deployments", "kind": "Deployment", "namespaced": true, "verbs": ["list", "watch", "delete"]},
      {"name": "deployments/status", "kind": "Deployment", "namespaced": true, "verbs": ["get"]},
      {"name": "events", "kind": "Event", "namespaced": true, "verbs": ["list", "watch", "delete"]},
      {"name": "reviews", "kind": "Review", "verbs": ["create"]}, 7]})"));
  EXPECT_EQ(resources, (std::vector<ServedResource>{{"apps", "v1", "deployments", "Deployment", true}}));
  EXPECT_EQ(parse_resource_list(Json::parse(R"({"groupVersion": "v1", "resources": []})")),
            std::vector<ServedResource>{});
  EXPECT_EQ(
      parse_group_list(Json::parse(
          R"({"groups": [{"preferredVersion": {"groupVersion": "apps/v1"}}, {"versions": [{"groupVersion": "x/v2"}]}, {}]})")),
      (std::vector<std::string>{"apps/v1", "x/v2"}));
}

}  // namespace
}  // namespace tidegate::local
