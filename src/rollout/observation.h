// SPDX-License-Identifier: Apache-2.0
// The part of the cluster that a decision looks at, as it was seen. Made by observe.cc, and by tests. Thread:
// none; plain values.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/resolve.h"
#include "analysis/run.h"
#include "base/clock.h"
#include "base/json.h"

namespace tidegate::rollout {

struct SeenReplicaSet {
  std::string name, revision;  // revision: the pod-template-hash
  std::int64_t replicas = 0;   // wanted
  std::int64_t ready = 0, available = 0;
  TimePoint created{};
  std::vector<std::string> stale;  // while pods are made anew: those that have to go, oldest first
  std::int64_t terminating = 0;    // on their way
};

// The Deployment of a workloadRef.
struct SeenDeployment {
  bool exists = false;
  std::int64_t replicas = 0, available = 0;  // replicas: wanted
};

struct SeenService {
  bool exists = false;
  std::string revision;                       // that its selector names; empty: none
  std::map<std::string, std::int64_t> ready;  // ready endpoints by the revision of their pods; "?": of others
  std::string sticky;                         // api::kStickySplitAnnotation
};

struct RouteKey {
  std::string kind, name;  // HTTPRoute or GRPCRoute
  friend auto operator<=>(const RouteKey&, const RouteKey&) = default;
};
inline std::string to_string(const RouteKey& key) { return key.kind + " " + key.name; }

// A rule of the route that names the stable Service. Indices are those of the document.
struct SeenRule {
  std::size_t index = 0;
  std::size_t stable_index = 0;
  std::int64_t stable_weight = 1;
  std::optional<std::size_t> canary_index;
  std::int64_t canary_weight = 0;
  struct Backend {
    std::size_t index = 0;
    std::int64_t weight = 0;
  };
  std::map<std::string, Backend> experiments;  // by Service
  std::map<std::size_t, std::int64_t> others;  // weights of the other backends, by index
  std::vector<std::int64_t> mirrors;  // percent of each filter that copies to the canary; -1: not in percent
  std::size_t filters = 0;            // all of the rule
  bool sticky = false;                // has sessions, which go before weights, also a weight of 0 (GEP-1619)
};

struct SeenRoute {
  bool exists = false;
  std::string resource_version;
  std::vector<SeenRule> rules;             // those that the Rollout drives
  std::vector<std::string> missing_rules;  // named in the spec, not on the route
  bool served = false;                     // the data plane serves the route as it stands (guarantee G3)
  std::string not_served;                  // why not, in words
  std::shared_ptr<const Json> document;    // as it was read: header routes are made from it
};

// A route under a name that the Rollout's own routes have.
struct SeenManagedRoute {
  bool exists = false;
  bool ours = false;  // the Rollout controls it
  std::string resource_version;
  std::shared_ptr<const Json> document;  // null where there is none
  bool served = false;                   // of one that is gone: whether the data plane still serves it
  std::string not_served;
};

// A version in an experiment: a ReplicaSet and a Service of one name.
struct SeenPart {
  bool has_set = false, has_service = false;
  std::int64_t replicas = 0, available = 0;  // replicas: wanted
  std::int64_t endpoints = 0;                // of the Service, ready
  metrics::BackendTraffic traffic;
};

using SeenTraffic = analysis::Traffic;

struct Observation {
  TimePoint now{};
  // Those that the Rollout owns. Without pods of ours: what stands behind each slot, whose size is not ours.
  std::vector<SeenReplicaSet> replica_sets;
  bool pods_known = false;  // only looked at where pods are made anew
  SeenDeployment deployment;
  SeenService stable_service, canary_service;
  std::map<RouteKey, SeenRoute> routes;  // those that the spec names
  std::map<RouteKey, SeenManagedRoute> managed_routes;
  std::map<std::string, SeenPart> experiments;  // by name: all that there are, of any experiment
  SeenTraffic traffic;
  std::uint64_t by_header = 0;  // requests among the canary's that header routes sent, not its weight
  analysis::Templates templates;
  analysis::Samples samples;                  // measurements that have come in since the last look
  std::map<std::string, std::string> set_by;  // annotation -> who is known to have set it
};

}  // namespace tidegate::rollout
