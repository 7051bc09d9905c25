// SPDX-License-Identifier: Apache-2.0
// `tidegate lint`: what is wrong with manifests, without a cluster. Each object of a kind that crds/ defines
// is read as the API server would (unknown fields, schema, rules), Rollouts and analyses as the controller
// would too. Other kinds are let be. Pure but for run_lint(), which reads files and prints. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "app/manifests.h"

namespace tidegate::app {

struct Finding {
  std::string source;   // "shop.yaml:12"
  std::string object;   // "Rollout shop/web"
  std::string field;    // "spec.strategy.canary.steps[1].setWeight"; empty: the object itself
  std::string value;    // as JSON, where it is a plain one
  std::string problem;  // "expected a number from 0 to 100"
  friend bool operator==(const Finding&, const Finding&) = default;
};
std::string to_string(const Finding& finding);  // a line

std::vector<Finding> lint(const std::vector<Manifest>& manifests);

// Prints findings of files and folders, as text or JSON. Exit codes: 0 none, 1 some, 2 what is there can't be
// read.
int run_lint(const std::vector<std::string>& paths, const std::string& output);

}  // namespace tidegate::app
