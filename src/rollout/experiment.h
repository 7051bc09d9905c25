// SPDX-License-Identifier: Apache-2.0
// Versions beside each other, at the same age and size: what an experiment step needs, and its going. Each
// template is a ReplicaSet and a Service of one name, which says what runs in it, so that a name is never
// used for something else. Wanted while the rollout stands at the step, gone ever after, however it left
// (G1). Thread: none; pure.
#pragma once

#include <string>
#include <vector>

#include "rollout/turn.h"

namespace tidegate::rollout {

// shop-6d4c8-2-baseline: of the Rollout shop, with the pods of revision 6d4c8, for its step 2.
std::string experiment_name(const api::Rollout& rollout, const std::string& revision, std::size_t step,
                            const std::string& part);
// Whether an experiment of this Rollout, of whatever revision and step, has this name: one that is over may
// still stand on a route, where a late write of another controller has put it (G9).
bool names_experiment(const api::Rollout& rollout, std::string_view name);

struct Part {
  std::string name;  // of ReplicaSet and Service
  std::string revision;
  const api::ExperimentTemplate* of = nullptr;
};
std::vector<Part> parts_of(const Turn& turn, std::int64_t step);  // none where it is no experiment
std::vector<Part> parts_in_effect(const Turn& turn);              // of the step that the rollout is at

// What their Services may get on the routes now, by name: nothing without a ready pod, no more than before
// while any version has fewer than it should have (G2).
std::vector<api::ServiceWeight> experiment_weights(const Turn& turn);
// What is missing until all of the pods serve; empty: nothing.
std::string experiment_missing(const Turn& turn);

// The counts that its analysis judges: its canary versions against its stable ones, or against stable itself.
analysis::Traffic experiment_traffic(const Turn& turn);
std::uint64_t experiment_requests(const Turn& turn);  // of all versions

// Makes what is wanted; takes away what is not, once the data plane has let go of it (G12). While there is
// any, a finalizer holds the Rollout, so that no route is left with a backend that is gone.
void drive_experiments(Turn& turn);
bool experiments_left(const Turn& turn);

}  // namespace tidegate::rollout
