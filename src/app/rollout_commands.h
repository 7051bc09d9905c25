// SPDX-License-Identifier: Apache-2.0
// Day-to-day work on one Rollout from the command line: get, describe, watch, status, promote, abort, retry,
// pause, resume. Each verb is what a user could do with `kubectl annotate` and `kubectl get -w`; installed as
// kubectl-tidegate the same binary answers `kubectl tidegate ...`.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace tidegate::app {

struct RolloutTarget {
  std::string kubeconfig;  // empty: $KUBECONFIG, in-cluster, ~/.kube/config
  std::string ns = "default";
  std::string name;
};

// Sets (or with nullopt removes) one annotation. `done` is printed. Exit codes: 0, 1 where the API server
// refuses, 2 where it can't be reached.
int annotate_rollout(const RolloutTarget& target, const std::string& key, std::optional<std::string> value,
                     const std::string& done);

// Follows the Rollout until it is Healthy (0) or Degraded (1) on its newest generation, or `timeout` passes
// (2; 0: never), with a line for each change. `follow`: go on after that, until interrupted.
int follow_rollout(const RolloutTarget& target, Duration timeout, bool follow);

// Prints what there is to know of it: a screen of text, all of it, or the object itself.
enum class Show { kSummary, kDescription, kJson, kYaml };
int show_rollout(const RolloutTarget& target, Show form);

}  // namespace tidegate::app
