// SPDX-License-Identifier: Apache-2.0
// A cluster in a few values, for tests of rollout::decide: ReplicaSets whose pods become ready, two Services,
// one route, a data plane that acknowledges. Decisions are applied to it as the controller applies them;
// status goes through its JSON form each time. Thread: none.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "rollout/decide.h"
#include "rollout/validate.h"

namespace tidegate::test {

class World {
 public:
  World();

  // The rollout as people write it.
  Json spec;  // of the Rollout
  api::Labels annotations;
  std::vector<std::string> finalizers;
  bool deleted = false;
  std::map<std::string, std::int64_t> slots;  // ready endpoints of each, for a workload without pods
  Json deployment;                            // of a workloadRef; null: there is none
  Json status = Json::object();
  void set_image(const std::string& image);
  api::Rollout rollout() const;
  api::RolloutStatus decoded_status() const;

  // The cluster.
  struct Set {
    std::string revision;
    std::int64_t replicas = 0, ready = 0;
    TimePoint created{};
    bool experiment = false;
    std::map<std::string, TimePoint> pods = {};  // those that are ready, by name
    friend bool operator==(const Set&, const Set&) = default;
  };
  std::map<std::string, Set> sets;
  void make_pods(Set& set);  // as many as are ready; the newest go first
  struct Service {
    std::string selects, endpoints;  // the endpoints follow the selector when the cluster settles
    friend bool operator==(const Service&, const Service&) = default;
  };
  std::map<std::string, Service> services;
  std::map<std::string, std::string> sticky;       // annotations, by Service
  std::map<std::string, std::int64_t> most_ready;  // a fault: no more pods of a revision become ready
  bool has_route = true;
  std::int64_t stable_weight = 1, canary_weight = 0, other_weight = -1;  // other: -1, there is none
  std::vector<std::pair<std::string, std::int64_t>> experiment_weights;  // in their order on the route
  bool names_canary = false;
  std::int64_t route_version = 1, served_version = 1;
  Json rule = Json::object();  // the route's only rule, without its backends
  Json route_document() const;
  struct OwnRoute {
    Json document;
    std::int64_t version = 1, served_version = 0;
  };
  std::map<rollout::RouteKey, OwnRoute> own_routes;
  std::set<rollout::RouteKey> lingering;  // deleted, and still served
  bool serving = true;                    // the data plane acknowledges when the cluster settles
  rollout::SeenTraffic traffic;
  analysis::Templates templates;
  std::map<std::string, analysis::Sample> answers;  // of external metrics, by name; without one none comes
  TimePoint now{std::chrono::seconds(1'800'000'000)};

  rollout::Observation observe() const;
  bool apply(const rollout::Action& action);                // idempotent; false: a conflict, nothing is done
  bool write_status(const api::RolloutStatus& next);        // false: nothing differs
  void measure(const std::vector<analysis::Measure>& due);  // what is no longer due is dropped
  const std::vector<analysis::Measure>& due() const { return due_; }
  bool answers_wait() const;  // for the cluster to settle
  void settle();  // pods become ready, endpoints follow, the data plane serves the route, answers come in
  // Requests split by the weights that are served; the canary's fail at the given rate.
  void send(std::uint64_t requests, double canary_failure_rate, double stable_failure_rate = 0);

  // Revisions by the tags of their images, for people.
  std::string readable(std::string text) const;
  std::string revision_of(const std::string& image) const;
  double canary_share() const;  // of the route as it stands
  double share_of(std::int64_t weight) const;
  std::int64_t endpoints(const std::string& service, const std::string& revision) const;

 private:
  std::set<std::string> experiments() const;  // names of what there is of them
  std::vector<std::string> stale_pods(const Set& set) const;
  rollout::SeenPart seen_experiment(const std::string& name) const;
  rollout::SeenRoute seen_route(const api::Rollout& current) const;
  rollout::SeenManagedRoute seen_own_route(const rollout::RouteKey& key) const;

  std::vector<analysis::Measure> due_;
  analysis::Samples samples_;
  std::int64_t pods_made_ = 100;
  double served_share_ = 0;
  std::map<std::string, double> served_experiments_;
  std::map<std::string, metrics::BackendTraffic> experiment_traffic_;
  mutable Json read_spec_;  // what `read_` was read from: reading it anew for each decision is most of a
                            // simulation's time
  mutable api::Rollout read_;
  std::map<std::string, std::string> images_;  // revision -> tag
};

}  // namespace tidegate::test
