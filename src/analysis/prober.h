// SPDX-License-Identifier: Apache-2.0
// Has measured what is due: reads the Secrets that a metric names, asks its provider or runs its Job, and
// keeps the result until it has been counted. Nobody waits for it: whoever wants a measurement is told when
// there is a new one, and finds it among the samples. Nothing here survives a crash; what was lost is due
// again. Bounds on what is under way: metrics/providers/limits.h. Thread: control. Owns: what is under way.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "analysis/run.h"
#include "api/object.h"
#include "kube/client.h"
#include "metrics/providers/fetch.h"

namespace tidegate::analysis {

class Prober {
 public:
  // Whose analysis it is: Secrets are of its namespace, Jobs are owned by it.
  struct Owner {
    std::string ns;
    api::OwnerReference reference;
    api::Key key() const { return {ns, reference.name}; }
  };

  // `arrived` is called on the loop, never from within a call of this class. `client` and `fetch` outlive it.
  Prober(kube::Client& client, metrics::providers::Fetch& fetch,
         std::function<void(const api::Key& owner)> arrived);
  ~Prober();

  // What is due for this owner, all of it: what is new is started; results and measurements under way that
  // are not among it are dropped.
  void want(const Owner& owner, const std::vector<Measure>& due);
  Samples samples(const api::Key& owner) const;
  void forget(const api::Key& owner);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::analysis
