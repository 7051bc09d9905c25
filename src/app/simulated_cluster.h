// SPDX-License-Identifier: Apache-2.0
// A cluster that exists in a few values, for `tidegate simulate`: ReplicaSets whose pods become ready at the
// next tick, Services, the driven routes, a data plane that serves what is written at the next tick, and
// users whose requests it splits. Nothing in it fails but requests. Thread: none. Owns: all of it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rollout/decision.h"

namespace tidegate::app {

// How a version answers. The same share of its requests fails at any time.
struct Behaviour {
  double failing = 0;  // 0 to 1
  Duration latency{20};
};

class SimulatedCluster {
 public:
  // `rollout` as people write it, with a pod template; templates that its analyses name.
  SimulatedCluster(Json rollout, analysis::Templates templates, TimePoint begin);

  api::Rollout rollout() const;
  rollout::Observation observe() const;
  void apply(const rollout::Action& action);
  bool write_status(const api::RolloutStatus& next);  // false: nothing differs
  // Measurements outside of the gateway: all of them pass, at the next tick.
  void measure(const std::vector<analysis::Measure>& due);

  void ship(const std::string& version);  // another pod template
  void annotate(const std::string& key, const std::string& value);

  // A moment passes: pods get ready, routes are served, `requests` are answered.
  void tick(Duration passed, double requests, const Behaviour& stable, const Behaviour& canary);

  TimePoint now() const { return now_; }
  double served_share() const { return served_share_; }  // of the canary, 0 to 1
  const rollout::SeenTraffic& traffic() const { return traffic_; }

 private:
  struct Set {
    std::string revision;
    std::int64_t replicas = 0, ready = 0;
    TimePoint created{};
    bool experiment = false;
  };
  struct Service {
    std::string selects, endpoints;
  };
  struct Route {
    Json document;
    std::int64_t version = 1, served = 0;
  };
  struct Applier;

  std::int64_t ready_behind(const Service& service) const;
  rollout::SeenService seen_service(const std::string& name) const;
  double share_on_routes() const;
  static void answer(metrics::BackendTraffic& traffic, double& owed, double& owed_failures, double requests,
                     const Behaviour& how);

  Json document_;
  analysis::Templates templates_;
  TimePoint now_;
  std::map<std::string, Set> sets_;
  std::map<std::string, Service> services_;
  std::map<rollout::RouteKey, Route> routes_, own_routes_;
  rollout::SeenTraffic traffic_;
  std::vector<analysis::Measure> due_;
  analysis::Samples samples_;
  double served_share_ = 0;
  double owed_[4] = {};  // parts of requests and failures that are still to come
};

}  // namespace tidegate::app
