// SPDX-License-Identifier: Apache-2.0
// 200 Rollouts of every fate against an API that fails in every way: each ends as it does without faults.
#include <gtest/gtest.h>

#include "api/core.h"
#include "api/rollout.h"
#include "api/routes.h"
#include "base/log.h"
#include "base/yaml.h"
#include "tests/faults/cluster.h"

namespace tidegate::test {
namespace {

using namespace std::chrono_literals;

constexpr int kRollouts = 200;

enum class Fate { kGood, kBad, kAborted, kPromotedByHand, kSuperseded };
constexpr int kFates = 5;
Fate fate_of(int i) { return static_cast<Fate>(i % kFates); }

Json yaml_of(const std::string& text) { return yaml::parse_all(text).value().front().value; }
api::Key key_of(int i) { return {"team-" + std::to_string(i), "shop"}; }

bool waits_for_people(Fate fate) {
  return fate == Fate::kAborted || fate == Fate::kPromotedByHand || fate == Fate::kSuperseded;
}

Json shop(int i) {
  const std::string gate = waits_for_people(fate_of(i)) ? "{}" : "{duration: 3s}";
  Json out = rollout_of(
      key_of(i), "app:v1",
      yaml_of("[{setWeight: 20}, {pause: " + gate + "}, {setWeight: 60}, {pause: {duration: 3s}}]"));
  out["spec"]["strategy"]["canary"]["analysis"] = yaml_of(
      R"({metrics: [{name: success, interval: 1s, minRequests: 5, provider: {gateway: {metric: success-rate}},
          successCondition: "result[0] >= 0.9"}]})");
  return out;
}

// Everything that a rollout leaves behind.
Json end_of(const Cluster& cluster, int i) {
  const api::Key key = key_of(i);
  const Json rollout = cluster.get(api::kRollouts, key);
  Json out;
  for (const char* field : {"phase", "stableRevision", "canaryRevision", "weight", "currentStepIndex"})
    out[field] = json::string_at(rollout, std::string("status.") + field);
  for (const auto& entry : json::array_at(rollout, "status.history")) {
    out["history"].push_back(json::string_at(entry, "revision") + " " + json::string_at(entry, "outcome"));
  }
  const Split split = split_of(cluster.get(api::kHttpRoutes, key), key.name);
  out["split"] = {split.stable, split.canary};
  for (const auto& set : cluster.list(api::kReplicaSets, key.ns))
    out["sets"][json::string_at(set, "metadata.name")] = json::int_at(set, "spec.replicas");
  for (const auto& service : cluster.list(api::kServices, key.ns))
    out["services"][json::string_at(service, "metadata.name")] = json::object_at(service, "spec.selector");
  return out;
}

class ManyRollouts {
 public:
  ManyRollouts() {
    cluster_.requests_per_second = 100;
    for (int i = 0; i < kRollouts; ++i) {
      cluster_.create({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", key_of(i).ns}}}});
      cluster_.create(shop(i));
      cluster_.create(route_of(key_of(i)));
    }
    restart();
    expect_each("serves version 1", [&](int i) { return phase(i) == "Healthy"; });
  }

  Cluster& cluster() { return cluster_; }

  // What people do, and a controller that dies in between.
  void play() {
    for (int i = 0; i < kRollouts; ++i) ship(i, fate_of(i) == Fate::kBad ? "app:v2-bad" : "app:v2");
    expect_each("reaches its first gate", [&](int i) { return !waits_for_people(fate_of(i)) || waits(i); });
    for (int i = 0; i < kRollouts; ++i) {
      if (fate_of(i) == Fate::kAborted) cluster_.annotate(key_of(i), api::kAbortAnnotation, "odd");
      if (fate_of(i) == Fate::kPromotedByHand) cluster_.annotate(key_of(i), api::kPromoteAnnotation, "step");
      if (fate_of(i) == Fate::kSuperseded) ship(i, "app:v3");
    }
    restart();
    expect_each("meets the newer version",
                [&](int i) { return fate_of(i) != Fate::kSuperseded || waits(i); });
    for (int i = 0; i < kRollouts; ++i) {
      if (fate_of(i) == Fate::kSuperseded) cluster_.annotate(key_of(i), api::kPromoteAnnotation, "step");
    }
  }

  void expect_ends() {
    expect_each("ends", [&](int i) {
      const bool lost = fate_of(i) == Fate::kBad || fate_of(i) == Fate::kAborted;
      return observed(i) && phase(i) == (lost ? "Degraded" : "Healthy");
    });
    cluster_.run_for(2min);  // for what follows an end: scale-down, clean-up
  }

 private:
  void restart() {
    process_.reset();
    process_ = std::make_unique<Process>(cluster_, "controller");
    process_->controller.start();
  }
  void ship(int i, const std::string& image) {
    cluster_.merge(api::kRollouts, key_of(i), image_patch(image));
  }

  std::string phase(int i) const {
    return json::string_at(cluster_.get(api::kRollouts, key_of(i)), "status.phase");
  }
  bool observed(int i) const {
    const Json rollout = cluster_.get(api::kRollouts, key_of(i));
    return json::int_at(rollout, "metadata.generation") == json::int_at(rollout, "status.observedGeneration");
  }
  bool waits(int i) const { return observed(i) && phase(i) == "Paused"; }

  // All are looked at once a second: looking costs more than what happens in between.
  void expect_each(const std::string& what, const std::function<bool(int)>& holds) {
    std::set<int> missing;
    for (int i = 0; i < kRollouts; ++i) missing.insert(i);
    TimePoint looked{};
    const bool all = cluster_.run_until(
        [&] {
          if (cluster_.now() - looked < 1s) return false;
          looked = cluster_.now();
          std::erase_if(missing, holds);
          return missing.empty();
        },
        20min);
    ASSERT_TRUE(all) << "team-" << *missing.begin() << " and " << missing.size() - 1 << " others: none "
                     << what << "\n"
                     << json::dump_pretty(cluster_.get(api::kRollouts, key_of(*missing.begin()))["status"]);
  }

  Cluster cluster_;
  std::unique_ptr<Process> process_;
};

FaultyServer::Rates everything_fails_at_times() {
  return {{Fault::kTooMany, 2},        {Fault::kInternal, 2},      {Fault::kUnavailable, 2},
          {Fault::kDropBefore, 2},     {Fault::kDropAfter, 2},     {Fault::kDelay, 3},
          {Fault::kConflict, 3},       {Fault::kConflictAfter, 2}, {Fault::kInternalAfter, 2},
          {Fault::kStaleList, 30},     {Fault::kGone, 10},         {Fault::kDelayEvents, 1},
          {Fault::kDuplicateEvent, 5}, {Fault::kLoseEvent, 1}};
}

TEST(RolloutsUnderFaults, EndAsTheyDoWithoutThem) {
  log::configure(log::Level::kError, log::Format::kText);
  ManyRollouts clean, faulty;
  clean.play();
  clean.expect_ends();
  auto& faults = faulty.cluster().faults();
  faults.fail_at_random(11, everything_fails_at_times());
  faulty.play();
  faults.set_away(true);
  faulty.cluster().run_for(20s);
  faults.set_away(false);
  faulty.expect_ends();
  for (const auto& [fault, rate] : everything_fails_at_times())
    EXPECT_GT(faults.met(fault), 0) << to_string(fault) << " was never met";
  for (int i = 0; i < kRollouts; ++i) {
    EXPECT_EQ(json::dump_pretty(end_of(faulty.cluster(), i)), json::dump_pretty(end_of(clean.cluster(), i)))
        << key_of(i).ns;
  }
  log::configure(log::Level::kInfo, log::Format::kText);
}

}  // namespace
}  // namespace tidegate::test
