// SPDX-License-Identifier: Apache-2.0
// G1 to G15 of the Rollout, each by its most direct proof (docs/rollouts.md says what they promise).
#include "tests/guarantees/guarantees.h"

#include <gtest/gtest.h>

#include "kube/lease.h"
#include "rollout/perform.h"

namespace tidegate::test {
namespace {

using Splits = std::vector<std::int64_t>;

constexpr const char* kTwoWeights =
    "[{setWeight: 5}, {pause: {duration: 2s}}, {setWeight: 50}, {pause: {duration: 2s}}]";
constexpr const char* kGate = "[{setWeight: 50}, {pause: {}}]";

Json success_rate() {
  return yaml_of(R"({metrics: [{name: success, interval: 2s, failureLimit: 1, minRequests: 5,
    provider: {gateway: {metric: success-rate}}, successCondition: "result[0] >= 0.9"}]})");
}

// The controller dies after each of its writes and starts anew.
TEST_F(Guarantees, G1_OneTruth) {
  begin(kTwoWeights);
  ship("app:v2");
  std::size_t deaths = 0;
  ASSERT_TRUE(becomes([&] {
    if (phase() == "Healthy" && observed()) return true;
    if (cluster_.faults().writes().empty()) return false;
    cluster_.faults().forget_writes();
    ++deaths;
    process_.reset();
    restart();
    return false;
  }));
  EXPECT_GT(deaths, 10u);
  EXPECT_EQ(splits_, (Splits{5, 50, 100, 0})) << "a step was lost, repeated or skipped";
  EXPECT_EQ(json::array_at(rollout_now(), "status.history").size(), 2u);
}

// The same in the midst of an experiment: nothing of it is left, however often the controller has died.
TEST_F(Guarantees, G1_AnExperimentLeavesNothing) {
  begin(R"([{setWeight: 10}, {experiment: {duration: 2s, templates: [
    {name: baseline, specRef: stable, weight: 5}, {name: candidate, specRef: canary, weight: 5}]}}])");
  ship("app:v2");
  bool seen = false;
  ASSERT_TRUE(becomes([&] {
    seen = seen || json::array_at(route_now(), "/spec/rules/0/backendRefs").size() == 4;
    if (phase() == "Healthy" && observed() && cluster_.list(api::kServices).size() == 2) return true;
    if (cluster_.faults().writes().empty()) return false;
    cluster_.faults().forget_writes();
    process_.reset();
    restart();
    return false;
  }));
  EXPECT_TRUE(seen) << "the experiment got no traffic";
  EXPECT_TRUE(becomes([&] { return json::array_at(rollout_now(), "metadata.finalizers").empty(); }));
  EXPECT_EQ(cluster_.list(api::kReplicaSets).size(), 2u);
  EXPECT_EQ(json::array_at(route_now(), "/spec/rules/0/backendRefs").size(), 2u);
  EXPECT_EQ(split(), (Split{100, 0}));
}

TEST_F(Guarantees, G2_NoWeightBeforeReadiness) {
  begin(kGate);
  cluster_.most_ready[set_of("app:v2")] = 1;  // of the two that 50 % of four pods need
  ship("app:v2");
  cluster_.run_for(30s);
  EXPECT_EQ(splits_, Splits{});
  cluster_.most_ready.clear();
  cluster_.merge(api::kReplicaSets, {kShop.ns, canary_set()},
                 {{"metadata", {{"labels", {{"look", "again"}}}}}});
  EXPECT_TRUE(waits_at(1));
  EXPECT_EQ(splits_, Splits{50});
}

TEST_F(Guarantees, G3_AWeightCountsOnceItIsServed) {
  begin("[{setWeight: 50}, {pause: {duration: 10s}}, {setWeight: 60}, {pause: {}}]");
  cluster_.serve(false);
  ship("app:v2");
  ASSERT_TRUE(becomes([&] { return split().canary == 50 || splits_ == Splits{50}; }, 1min));
  cluster_.run_for(60s);
  EXPECT_EQ(json::int_at(rollout_now(), "status.currentStepIndex"), 0);
  cluster_.serve(true);
  const TimePoint served = cluster_.now();
  ASSERT_TRUE(waits_at(3));
  EXPECT_GE(cluster_.now() - served, 10s) << "the clock of the pause began before the weight was served";
}

// By a person, by an analysis, by the deadline: from the canary's weight to none in one write, pods later.
TEST_F(Guarantees, G4_AbortWins) {
  begin("[{setWeight: 50}, {pause: {}}, {setWeight: 60}, {pause: {duration: 1s, minRequests: 1000000}}]",
        [](Json& spec) {
          spec["strategy"]["canary"]["analysis"] = success_rate();
          spec["progressDeadlineSeconds"] = 20;
        });
  const auto aborted = [&](Splits expected) {
    ASSERT_TRUE(becomes_degraded());
    EXPECT_EQ(splits_, expected);
    EXPECT_GT(replicas_of(canary_set()), 0) << "pods went before the traffic did";
    EXPECT_TRUE(becomes([&] { return replicas_of(canary_set()) == 0; }, 20s));
    splits_.clear();
  };
  ship("app:v2");
  ASSERT_TRUE(waits_at(1));
  annotate(api::kAbortAnnotation, "odd");
  aborted({50, 0});
  ship("app:v3-bad");
  aborted({50, 0});
  ship("app:v4");
  ASSERT_TRUE(waits_at(1));
  annotate(api::kPromoteAnnotation, "step");
  aborted({50, 60, 0});
}

// A session goes before weights: whoever met the canary would stay with it at a weight of 0.
TEST_F(Guarantees, G4_AnAbortEndsSessionsOnTheCanary) {
  begin(kGate);
  const auto add_sessions = yaml_of(
      "{spec: {rules: [{sessionPersistence: {sessionName: shop}, backendRefs: "
      "[{name: shop-stable, port: 80}]}]}}");
  cluster_.merge(api::kHttpRoutes, kShop, add_sessions);
  for (const char* image : {"app:v2", "app:v3"}) {
    ship(image);
    ASSERT_TRUE(waits_at(1));
    EXPECT_EQ(split(), (Split{50, 50}));
    annotate(api::kAbortAnnotation, "odd");
    ASSERT_TRUE(becomes_degraded());
    const Json route = route_now();
    const Json& backends = json::array_at(route, "/spec/rules/0/backendRefs");
    ASSERT_EQ(backends.size(), 1u) << json::dump_pretty(backends);
    EXPECT_EQ(json::string_at(backends[0], "name"), "shop-stable");
  }
}

TEST_F(Guarantees, G5_NoDataIsNoSuccess) {
  cluster_.requests_per_second = 0;
  begin("[{setWeight: 50}, {pause: {duration: 1s}}]", [](Json& spec) {
    spec["strategy"]["canary"]["analysis"] = success_rate();
    spec["progressDeadlineSeconds"] = 60;
  });
  ship("app:v2");
  ASSERT_TRUE(becomes_degraded());
  EXPECT_EQ(splits_, (Splits{50, 0})) << "promoted without a sample";
  EXPECT_EQ(json::int_at(rollout_now(), "/status/analysisRuns/0/metrics/0/successful"), 0);
}

TEST_F(Guarantees, G6_NoPromotionWithoutEveryAnalysis) {
  begin("[{setWeight: 50}, {pause: {duration: 1s}}]", [](Json& spec) {
    auto& analysis = spec["strategy"]["canary"]["analysis"];
    analysis = success_rate();
    analysis["metrics"].push_back(yaml_of(R"({name: busy, interval: 2s, failureLimit: 1000,
      provider: {gateway: {metric: request-rate}}, successCondition: "result[0] >= 1000000"})"));
    spec["progressDeadlineSeconds"] = 60;
  });
  ship("app:v2");
  ASSERT_TRUE(becomes_degraded());
  EXPECT_EQ(splits_, (Splits{50, 0}));
}

TEST_F(Guarantees, G7_WhatIsNotOursStays) {
  begin(kTwoWeights);
  Json route = route_now();
  Json& rule = route["spec"]["rules"][0];
  rule["timeouts"] = {{"request", "7s"}};
  rule["filters"] =
      yaml_of("[{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}]}}]");
  route["spec"]["rules"].push_back(yaml_of("{backendRefs: [{name: else, port: 80, weight: 3}]}"));
  route["metadata"]["annotations"]["mine"] = "yes";
  cluster_.call("PUT", "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes/shop", route);
  route = route_now();
  ship("app:v2");
  ASSERT_TRUE(becomes_healthy());
  cluster_.run_for(1min);
  Json after = route_now();
  EXPECT_EQ(split(), (Split{100, 0}));
  EXPECT_EQ(json::string_at(after, "metadata.annotations.mine"), "yes");
  Json expected = route["spec"];
  expected["rules"][0]["backendRefs"] = after["spec"]["rules"][0]["backendRefs"];
  EXPECT_EQ(json::dump_pretty(after["spec"]), json::dump_pretty(expected));

  cluster_.faults().forget_writes();
  cluster_.run_for(5min);
  EXPECT_TRUE(cluster_.faults().writes().empty())
      << cluster_.faults().writes().front().path << " for nothing";
}

TEST_F(Guarantees, G7_DriftIsRepairedAtOnce) {
  begin(kGate);
  ship("app:v2");
  ASSERT_TRUE(waits_at(1));
  const Json patch = yaml_of(
      "{spec: {rules: [{backendRefs: [{name: shop-stable, port: 80, weight: 100}, {name: shop-canary, port: "
      "80, weight: 0}]}]}}");
  cluster_.merge(api::kHttpRoutes, kShop, patch);
  EXPECT_EQ(split().canary, 0);
  EXPECT_TRUE(becomes([&] { return split() == Split{50, 50}; }, 1s));
}

TEST_F(Guarantees, G8_ANewRevisionBeginsAnew) {
  begin("[{setWeight: 5}, {pause: {}}, {setWeight: 50}, {pause: {}}]");
  ship("app:v2");
  ASSERT_TRUE(waits_at(1));
  annotate(api::kPromoteAnnotation, "step");
  ASSERT_TRUE(waits_at(3));
  const std::string second = canary_set();
  ship("app:v3");
  ASSERT_TRUE(waits_at(1));
  EXPECT_NE(canary_set(), second);
  EXPECT_EQ(splits_, (Splits{5, 50, 0, 5})) << "the new revision got the old one's weight";
  ship("app:v1");
  ASSERT_TRUE(becomes_healthy());
  EXPECT_EQ(splits_.back(), 0);
  EXPECT_EQ(json::string_at(rollout_now(), "/status/history/0/outcome"), "Cancelled");
}

// The second controller is frozen early and goes on deciding on what it saw then.
TEST_F(Guarantees, G9_TwoControllersNeverMixWeights) {
  begin("[{setWeight: 5}, {pause: {duration: 5s}}, {setWeight: 50}, {pause: {duration: 10s}}]");
  Process second(cluster_, "second");
  second.controller.start();
  ship("app:v2");
  ASSERT_TRUE(becomes([&] { return split().canary == 5; }));
  cluster_.faults().freeze("second");
  ASSERT_TRUE(becomes([&] { return split().canary == 50; }));
  cluster_.faults().forget_writes();
  ASSERT_TRUE(becomes_healthy());
  std::size_t refused = 0;
  for (const auto& write : cluster_.faults().writes()) {
    if (write.agent != "second" || write.path.find("/events") != std::string::npos) continue;
    EXPECT_GE(write.status, 400) << write.method << " " << write.path
                                 << " by a controller that saw nothing of it";
    ++refused;
  }
  EXPECT_GT(refused, 0u) << "the frozen controller tried nothing";
  EXPECT_EQ(splits_, (Splits{5, 50, 100, 0}));
  cluster_.faults().thaw("second");
  cluster_.run_for(1min);
  EXPECT_EQ(split(), (Split{100, 0}));
  EXPECT_EQ(phase(), "Healthy");
}

// What was decided on an old view of a ReplicaSet does not take it away.
TEST_F(Guarantees, G9_AnOldViewDeletesNothing) {
  begin(kGate);
  const auto rollout = std::make_shared<const api::Rollout>(api::decode_rollout(rollout_now()));
  const std::string name = "shop-" + rollout->status.stable_revision;
  rollout::Cluster old;
  process_.reset();
  old.replica_sets.put(cluster_.get(api::kReplicaSets, {kShop.ns, name}));
  cluster_.merge(api::kReplicaSets, {kShop.ns, name}, {{"spec", {{"replicas", 5}}}});
  auto client = cluster_.client("old");
  std::optional<Result<void>> done;
  auto run = [&]() -> Task<void> {
    Json document = rollout_now();
    const rollout::Action action = rollout::DeleteReplicaSet{name};
    done.emplace(co_await rollout::perform(*client, old, rollout, action, document));
  };
  net::spawn(cluster_.io(), run());
  ASSERT_TRUE(becomes([&] { return done.has_value(); }));
  EXPECT_FALSE(*done);
  EXPECT_EQ(replicas_of(name), 5);
}

TEST_F(Guarantees, G10_EverythingEnds) {
  begin(kGate, [](Json& spec) { spec["progressDeadlineSeconds"] = 20; });
  cluster_.most_ready[set_of("app:v2")] = 0;
  ship("app:v2");
  ASSERT_TRUE(becomes_degraded());
  const std::string reason = json::string_at(rollout_now(), "status.abort.reason");
  EXPECT_NE(reason.find("no progress for 20s"), std::string::npos) << reason;
  EXPECT_NE(reason.find("0 of 2 canary pods"), std::string::npos) << reason;
}

TEST_F(Guarantees, G11_WhatHappenedCanBeRead) {
  begin(kTwoWeights);
  ship("app:v2");
  ASSERT_TRUE(becomes_healthy());
  cluster_.run_for(5s);
  std::string told;
  for (const auto& event : cluster_.list(api::kEvents))
    told += json::string_at(event, "reason") + ": " + json::string_at(event, "message") +
            json::string_at(event, "note") + "\n";
  for (const char* line :
       {"RolloutStarted: ", "StepCompleted: step 0 setWeight 5: 5 % served",
        "StepCompleted: step 1 pause 2s: ", "StepCompleted: step 2 setWeight 50: 50 % served",
        "StepCompleted: step 3 pause 2s: ", "RolloutCompleted: "})
    EXPECT_NE(told.find(line), std::string::npos) << line << " is missing in\n" << told;
  const Json rollout = rollout_now();
  EXPECT_EQ(json::string_at(rollout, "/status/history/0/outcome"), "Promoted");
  EXPECT_GT(json::int_at(rollout, "/status/history/0/canaryRequests"), 0);
}

TEST_F(Guarantees, G12_NothingIsTakenAwayThatStillServes) {
  begin(kGate);
  ship("app:v2");
  ASSERT_TRUE(waits_at(1));
  const std::string canary = canary_set();
  cluster_.serve(false);
  annotate(api::kAbortAnnotation, "odd");
  ASSERT_TRUE(becomes_degraded());
  cluster_.run_for(1min);
  EXPECT_EQ(split().canary, 0);
  EXPECT_EQ(replicas_of(canary), 2) << "the gateway may still send requests to these pods";
  cluster_.serve(true);
  EXPECT_TRUE(becomes([&] { return replicas_of(canary) == 0; }, 10s));
}

// For each Rollout that is aborted: its route, once, before anything else of it.
TEST_F(Guarantees, G13_AnAbortIsOneRouteWriteAheadOfAllElse) {
  constexpr int kMany = 20;
  const auto key = [](int i) { return api::Key{"default", "app-" + std::to_string(i)}; };
  begin(kGate);
  for (int i = 0; i < kMany; ++i) {
    cluster_.create(rollout_of(key(i), "app:v1", yaml_of(kGate)));
    cluster_.create(route_of(key(i)));
  }
  const auto all = [&](const char* phase) {
    return becomes([&] {
      for (int i = 0; i < kMany; ++i) {
        const Json rollout = cluster_.get(api::kRollouts, key(i));
        if (json::string_at(rollout, "status.phase") != phase ||
            json::int_at(rollout, "metadata.generation") !=
                json::int_at(rollout, "status.observedGeneration"))
          return false;
      }
      return true;
    });
  };
  ASSERT_TRUE(all("Healthy"));
  for (int i = 0; i < kMany; ++i) cluster_.merge(api::kRollouts, key(i), image_patch("app:v2"));
  ASSERT_TRUE(all("Paused"));
  cluster_.run_for(5s);
  cluster_.faults().forget_writes();
  const TimePoint asked = cluster_.now();
  for (int i = 0; i < kMany; ++i) cluster_.annotate(key(i), api::kAbortAnnotation, "all of them");
  ASSERT_TRUE(all("Degraded"));
  EXPECT_LT(cluster_.now() - asked, 1s);
  std::map<std::string, std::vector<std::string>> by_rollout;
  for (const auto& write : cluster_.faults().writes()) {
    for (int i = 0; i < kMany; ++i) {
      const std::string name = "/" + key(i).name;
      const auto at = write.path.find(name);
      if (at == std::string::npos) continue;
      const char after = at + name.size() < write.path.size() ? write.path[at + name.size()] : '/';
      if (after == '/' || after == '-') by_rollout[key(i).name].push_back(write.method + " " + write.path);
    }
  }
  EXPECT_EQ(by_rollout.size(), static_cast<std::size_t>(kMany));
  for (const auto& [name, writes] : by_rollout) {
    EXPECT_NE(writes.front().find("PATCH /apis/gateway.networking.k8s.io"), std::string::npos)
        << name << ": " << writes.front();
    EXPECT_EQ(std::count_if(writes.begin(), writes.end(),
                            [](const auto& write) { return write.find("httproutes") != std::string::npos; }),
              1)
        << name;
  }
}

TEST_F(Guarantees, G14_AGracefulStopHandsOverAtOnce) {
  const auto first_client = cluster_.client("first"), second_client = cluster_.client("second");
  const api::Key lease{"default", "tidegate-controller"};
  kube::LeaderElection first(*first_client, {lease, "first", [] {}, [] {}});
  ASSERT_TRUE(becomes([&] { return first.leading(); }, 5s));
  kube::LeaderElection second(*second_client, {lease, "second", [] {}, [] {}});
  cluster_.run_for(5s);
  EXPECT_FALSE(second.leading());
  net::spawn(cluster_.io(), first.release());
  EXPECT_TRUE(becomes([&] { return second.leading(); }, 3s)) << "it waited for the lease to run out";
}

// A Rollout over a Deployment, deleted with half of the traffic on its canary.
TEST_F(Guarantees, G15_DeletingLeavesAWorkingWorkload) {
  const std::string deployment = api::kDeployments.path(kShop.ns, kShop.name);
  const api::Key pods{kShop.ns, "shop-pods"};
  // What a Deployment's controller would do: pods of no revision, as many as asked for, ready at once.
  const auto tend = [&] {
    Json now = cluster_.get(api::kDeployments, kShop);
    const Json replicas = now["spec"]["replicas"];
    if (replicas_of(pods.name) != replicas)
      cluster_.merge(api::kReplicaSets, pods, {{"spec", {{"replicas", replicas}}}});
    const auto ready = json::int_at(cluster_.get(api::kReplicaSets, pods), "status.readyReplicas");
    if (json::int_at(now, "status.availableReplicas") == ready) return;
    now["status"]["availableReplicas"] = ready;
    cluster_.call("PUT", deployment + "/status", now);
  };
  begin(kGate, [&](Json& spec) {
    const Json labels = {{"app", "shop"}};
    const Json selector = {{"matchLabels", labels}};
    Json workload = {{"replicas", 4}, {"selector", selector}, {"template", spec["template"]}};
    cluster_.create({{"apiVersion", "apps/v1"},
                     {"kind", "Deployment"},
                     {"metadata", {{"name", "shop"}, {"namespace", kShop.ns}}},
                     {"spec", workload}});
    Json set_labels = labels;
    set_labels[api::kRevisionLabel] = "";
    cluster_.create({{"apiVersion", "apps/v1"},
                     {"kind", "ReplicaSet"},
                     {"metadata", {{"name", pods.name}, {"namespace", pods.ns}, {"labels", set_labels}}},
                     {"spec", workload}});
    cluster_.create(
        {{"apiVersion", "v1"},
         {"kind", "Service"},
         {"metadata", {{"name", "shop-stable"}, {"namespace", kShop.ns}}},
         {"spec", {{"selector", labels}, {"ports", Json::array({{{"port", 80}, {"targetPort", 8080}}})}}}});
    spec.erase("template");
    spec["workloadRef"] = {{"kind", "Deployment"}, {"name", "shop"}, {"scaleDown", "onsuccess"}};
  });
  ASSERT_TRUE(becomes([&] { return tend(), replicas_of(pods.name) == 0; }));
  cluster_.merge(api::kDeployments, kShop, image_patch("app:v2"));
  ASSERT_TRUE(waits_at(1));
  cluster_.call("DELETE", api::kRollouts.path(kShop.ns, kShop.name));
  ASSERT_TRUE(becomes([&] {
    tend();
    const Json service = cluster_.get(api::kServices, {kShop.ns, "shop-stable"});
    const bool released = !json::object_at(service, "spec.selector").contains(api::kRevisionLabel);
    EXPECT_TRUE(!released || replicas_of(pods.name) == 4) << "the Service was released before its pods";
    return rollout_now().is_null();
  }));
  EXPECT_EQ(json::int_at(cluster_.get(api::kDeployments, kShop), "spec.replicas"), 4);
  EXPECT_EQ(split(), (Split{100, 0}));
  const Json service = cluster_.get(api::kServices, {kShop.ns, "shop-stable"});
  EXPECT_EQ(service["spec"]["selector"], (Json{{"app", "shop"}}));
  EXPECT_TRUE(json::array_at(service, "metadata.ownerReferences").empty());
}

}  // namespace
}  // namespace tidegate::test
