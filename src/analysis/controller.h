// SPDX-License-Identifier: Apache-2.0
// Runs the AnalysisRuns that people make to their end; those of Rollouts are only records, and are left
// alone. Thread: control. Owns: its caches and what is being measured.
#pragma once

#include <memory>

#include "kube/client.h"
#include "metrics/providers/fetch.h"

namespace tidegate::analysis {

class Controller {
 public:
  // `client` and `fetch` outlive it.
  Controller(kube::Client& client, metrics::providers::Fetch& fetch);
  ~Controller();

  void start();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::analysis
