// SPDX-License-Identifier: Apache-2.0
// What a decision consists of. Order contract: (1) perform `actions` in their order, each idempotent and
// guarded by what it was decided on; (2) write `next` if it differs; (3) emit `notes`. Where one fails, the
// rest is left: the next look at the cluster leads to the same decision, or to a better one (guarantee G1).
// The route comes first in `actions`, so that an abort is one write (G4, G13). Thread: none; plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/rollout.h"
#include "rollout/observation.h"

namespace tidegate::rollout {

struct BackendWeight {
  std::size_t index = 0;
  std::int64_t weight = 0;
};
struct AddedBackend {
  std::string service;
  std::int64_t weight = 0;
};
struct RuleWeights {
  std::size_t rule = 0;
  std::vector<BackendWeight> set;
  // Where the rule does not name the canary yet: its backend is added, like that of stable at `copy_of`.
  std::optional<std::size_t> copy_of;
  std::int64_t added_weight = 0;
  // Of an experiment: its Services, like that of stable at `like`, and those that go, by index.
  std::size_t like = 0;
  std::vector<AddedBackend> experiments;
  std::vector<std::size_t> removed;
  std::optional<std::int64_t> mirror;  // copies to the canary in percent, 0: none; absent: as they are
};
struct SetWeights {
  RouteKey route;
  std::string resource_version;
  double percent = 0;
  std::vector<RuleWeights> rules;
};
struct PutRoute {  // one of the Rollout's own: made, or its spec replaced
  RouteKey route;
  std::string resource_version;          // empty: there is none yet
  std::shared_ptr<const Json> document;  // the whole object
};
struct DeleteRoute {
  RouteKey route;
};
struct CreateReplicaSet {
  std::string revision;
  std::int64_t replicas = 0;
};
struct ScaleReplicaSet {
  std::string name;
  std::int64_t replicas = 0;
};
struct DeleteReplicaSet {
  std::string name;
};
struct EnsureService {  // made if missing; else only its selector's revision changes
  std::string name, revision;
};
struct SetSticky {  // how clients meet the Service again (api::kStickySplitAnnotation); empty: they don't
  std::string service, value;
};
struct CreateExperimentSet {  // named like its Service; pods like those of `revision`
  std::string name, revision;
  std::int64_t replicas = 0;
};
struct CreateExperimentService {
  std::string name;
};
struct DeleteService {
  std::string name;
};
struct ReleaseService {  // selects pods of any revision again, and outlives the Rollout
  std::string name;
};
struct ScaleDeployment {
  std::string name;
  std::int64_t replicas = 0;
};
struct DeletePod {
  std::string name;
};
struct AddFinalizer {};
struct RemoveFinalizer {};
struct RemoveAnnotation {
  std::string key, value;
};
using Action =
    std::variant<SetWeights, PutRoute, DeleteRoute, CreateReplicaSet, ScaleReplicaSet, DeleteReplicaSet,
                 EnsureService, SetSticky, CreateExperimentSet, CreateExperimentService, DeleteService,
                 ReleaseService, ScaleDeployment, DeletePod, AddFinalizer, RemoveFinalizer, RemoveAnnotation>;
std::string to_string(const Action& action);

struct Note {  // an Event
  bool warning = false;
  std::string reason, message;
};

struct Decision {
  api::RolloutStatus next;
  std::vector<Action> actions;
  std::optional<Duration> wake_after;
  std::vector<Note> notes;
  std::map<std::int64_t, std::vector<api::Metric>> metrics;  // of analyses, by their step: to be recorded
  std::vector<analysis::Measure> measures;                   // due: to be started, not to be waited for (G13)
};

}  // namespace tidegate::rollout
