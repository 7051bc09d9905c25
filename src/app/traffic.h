// SPDX-License-Identifier: Apache-2.0
// What the Rollout controller knows of the data plane in the same process: the workers' counters, read when
// asked for, and which generation of a route is served. Thread: control.
#pragma once

#include <optional>

#include "base/clock.h"
#include "gateway/controller.h"
#include "metrics/traffic.h"
#include "proxy/runtime.h"

namespace tidegate::app {

class LocalTraffic final : public metrics::TrafficSource {
 public:
  LocalTraffic(const Clock& clock, const proxy::Runtime& proxy, const gateway::Controller& gateway)
      : clock_(clock), proxy_(proxy), gateway_(gateway) {}

  const metrics::TrafficCounts& counts() const override;
  std::int64_t served_generation(const std::string& kind, const std::string& ns,
                                 const std::string& name) const override {
    return gateway_.served_generation(kind, ns, name);
  }

 private:
  const Clock& clock_;
  const proxy::Runtime& proxy_;
  const gateway::Controller& gateway_;
  mutable metrics::TrafficCounts counts_;
  mutable std::optional<SteadyTime> read_at_;
};

}  // namespace tidegate::app
