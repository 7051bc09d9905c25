// SPDX-License-Identifier: Apache-2.0
// The part of the cluster that a decision looks at, as it was seen. Made by observe.cc, and by tests. Thread:
// none; plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/run.h"
#include "base/clock.h"

namespace tidegate::rollout {

struct SeenReplicaSet {
  std::string name, revision;  // revision: the pod-template-hash
  std::int64_t replicas = 0;   // wanted
  std::int64_t ready = 0, available = 0;
  TimePoint created{};
};

struct SeenService {
  bool exists = false;
  std::string revision;                       // that its selector names; empty: none
  std::map<std::string, std::int64_t> ready;  // ready endpoints by the revision of their pods
};

// A rule of the route that names the stable Service. Indices are those of the document.
struct SeenRule {
  std::size_t index = 0;
  std::size_t stable_index = 0;
  std::int64_t stable_weight = 1;
  std::optional<std::size_t> canary_index;
  std::int64_t canary_weight = 0;
  std::map<std::size_t, std::int64_t> others;  // weights of the other backends, by index
};

struct SeenRoute {
  bool exists = false;
  std::string resource_version;
  std::vector<SeenRule> rules;             // those that the Rollout drives
  std::vector<std::string> missing_rules;  // named in the spec, not on the route
  bool served = false;                     // the data plane serves the route as it stands (guarantee G3)
  std::string not_served;                  // why not, in words
};

using SeenTraffic = analysis::Traffic;

struct Observation {
  TimePoint now{};
  std::vector<SeenReplicaSet> replica_sets;  // those that the Rollout owns
  SeenService stable_service, canary_service;
  std::map<std::string, SeenRoute> routes;  // by name
  SeenTraffic traffic;
  analysis::Samples samples;                  // measurements that have come in since the last look
  std::map<std::string, std::string> set_by;  // annotation -> who is known to have set it
};

}  // namespace tidegate::rollout
