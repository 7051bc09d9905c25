// SPDX-License-Identifier: Apache-2.0
// What the data plane saw, a backend of a route at a time: the counts that the `gateway` provider judges by
// and that the Rollout controller reports as observed weights. Cumulative since the proxy started; readers
// take differences. Thread: none; plain values.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

namespace tidegate::metrics {

// OpenTelemetry's bounds for http.server.request.duration, in seconds; the last bucket has no upper bound.
inline constexpr std::array<double, 14> kDurationBounds = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                                           0.5,   0.75, 1,     2.5,  5,     7.5, 10};

struct BackendTraffic {
  std::uint64_t requests = 0;  // answered, by the backend or by the proxy in its name
  std::uint64_t failures =
      0;  // of these: 5xx from the backend, or no answer from it (reset, refused, timed out)
  std::array<std::uint64_t, kDurationBounds.size() + 1> duration_counts{};
  double duration_sum_seconds = 0;
};

struct BackendOfRoute {
  std::string route_kind, route_ns, route;  // kind: "HTTPRoute"
  std::string backend_ns, backend;          // Service
  friend auto operator<=>(const BackendOfRoute&, const BackendOfRoute&) = default;
};

// Summed over gateways, listeners, rules, ports and proxies.
using TrafficCounts = std::map<BackendOfRoute, BackendTraffic>;

// Where a controller reads them. Thread: control.
class TrafficSource {
 public:
  virtual ~TrafficSource() = default;
  virtual const TrafficCounts& counts() const = 0;  // a second old at most
  // The oldest route generation that all proxies of the route's gateways serve; 0: none, or not our proxies.
  virtual std::int64_t served_generation(const std::string& route_kind, const std::string& ns,
                                         const std::string& name) const = 0;
};

}  // namespace tidegate::metrics
