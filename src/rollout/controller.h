// SPDX-License-Identifier: Apache-2.0
// The Rollout controller: a key from the work queue -> observe -> decide -> perform -> status -> wake later.
// Drives any conformant Gateway through HTTPRoute alone (invariant I10); with Tidegate's own proxies,
// `traffic` adds acknowledged weights, observed weights and the `gateway` metric provider. Thread: control.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "kube/client.h"
#include "kube/events.h"
#include "metrics/providers/fetch.h"
#include "metrics/traffic.h"

namespace prometheus {
class Registry;
}

namespace tidegate::rollout {

class Controller {
 public:
  struct Options {
    std::size_t parallel = 16;  // reconciles at once: each waits for some answers of the API server
    metrics::providers::Fetch* fetch = nullptr;  // outlives it; null: one of its own
  };
  // `traffic` may be null: no proxies of ours. `registry`: where tidegate_rollout_* go; may be null.
  Controller(kube::Client& client, kube::EventRecorder& events, const metrics::TrafficSource* traffic,
             prometheus::Registry* registry, Options options);
  ~Controller();

  void start();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::rollout
