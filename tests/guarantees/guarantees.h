// SPDX-License-Identifier: Apache-2.0
// What the tests of the guarantees share: one Rollout in the cluster of the fault tests, whose route is
// written down at each change. Thread: the test's.
#pragma once

#include <gtest/gtest.h>

#include "api/core.h"
#include "api/rollout.h"
#include "api/routes.h"
#include "base/log.h"
#include "base/yaml.h"
#include "tests/faults/cluster.h"

namespace tidegate::test {

using namespace std::chrono_literals;

inline Json yaml_of(const std::string& text) { return yaml::parse_all(text).value().front().value; }

class Guarantees : public testing::Test {
 protected:
  Guarantees() {
    log::configure(log::Level::kError, log::Format::kText);
    cluster_.requests_per_second = 200;
    cluster_.on_change = [this](const apiserver::Change& change) { look(change); };
  }
  ~Guarantees() override { log::configure(log::Level::kInfo, log::Format::kText); }

  // Version 1 serves; `change` may edit the Rollout first.
  void begin(const std::string& steps, const std::function<void(Json& spec)>& change = {}) {
    Json rollout = rollout_of(kShop, "app:v1", yaml_of(steps));
    if (change) change(rollout["spec"]);
    cluster_.create(rollout);
    cluster_.create(route_of(kShop));
    restart();
    ASSERT_TRUE(becomes([&] { return phase() == "Healthy"; })) << json::dump_pretty(rollout_now()["status"]);
    splits_.clear();
  }
  void restart() {
    process_.reset();
    process_ = std::make_unique<Process>(cluster_, "controller");
    process_->controller.start();
  }
  void ship(const std::string& image) { cluster_.merge(api::kRollouts, kShop, image_patch(image)); }
  void annotate(const char* key, const std::string& value) { cluster_.annotate(kShop, key, value); }

  bool becomes(const std::function<bool()>& holds, Duration within = 5min) {
    return cluster_.run_until(holds, within);
  }
  bool becomes_healthy() {
    return becomes([&] { return phase() == "Healthy" && observed(); });
  }
  bool becomes_degraded() {
    return becomes([&] { return phase() == "Degraded" && observed(); });
  }
  bool waits_at(std::int64_t step) {
    return becomes([&] {
      return observed() && phase() == "Paused" &&
             json::int_at(rollout_now(), "status.currentStepIndex") == step;
    });
  }

  Json rollout_now() const { return cluster_.get(api::kRollouts, kShop); }
  Json route_now() const { return cluster_.get(api::kHttpRoutes, kShop); }
  std::string phase() const { return json::string_at(rollout_now(), "status.phase"); }
  bool observed() const {
    const Json rollout = rollout_now();
    return json::int_at(rollout, "metadata.generation") == json::int_at(rollout, "status.observedGeneration");
  }
  Split split() const { return split_of(route_now(), kShop.name); }
  std::string canary_set() const {
    return kShop.name + "-" + json::string_at(rollout_now(), "status.canaryRevision");
  }
  std::string set_of(const std::string& image) const {
    Json rollout = rollout_now();
    rollout["spec"]["template"]["spec"]["containers"][0]["image"] = image;
    return kShop.name + "-" + api::decode_rollout(rollout).revision;
  }
  std::int64_t replicas_of(const std::string& set) const {
    return json::int_at(cluster_.get(api::kReplicaSets, {kShop.ns, set}), "spec.replicas", -1);
  }

  static inline const api::Key kShop{"default", "shop"};
  Cluster cluster_;
  std::unique_ptr<Process> process_;
  std::vector<std::int64_t> splits_;  // the canary's weight, whenever it changed

 private:
  void look(const apiserver::Change& change) {
    if (!change.now || change.id.resource != "httproutes.gateway.networking.k8s.io") return;
    const auto canary = split_of(change.now->parse(), kShop.name).canary;
    if (splits_.empty() ? canary > 0 : splits_.back() != canary) splits_.push_back(canary);
  }
};

}  // namespace tidegate::test
