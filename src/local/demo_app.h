// SPDX-License-Identifier: Apache-2.0
// The example workload, `tidegate demo-app`: answers every request with what it is and what it was asked,
// fails and delays as told, also while it runs (/_demo/config), and counts (/_demo/stats). Thread: its
// loop's. Owns: its HTTP server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "net/event_loop.h"
#include "net/stream.h"

namespace tidegate::local {

// "0.2" or "20%"; from 0 to 1.
Result<double> parse_error_rate(std::string_view text);

struct DemoBehaviour {
  double error_rate = 0;  // of requests, answered by 500
  Duration latency{0};    // before each answer
  Duration jitter{0};     // at most that much more, evenly spread
};
// {"error_rate": 0.2 or "20%", "latency_ms": N, "jitter_ms": N}; what is absent stays. Errors name the field.
Result<DemoBehaviour> change_behaviour(DemoBehaviour current, const Json& change);
Json to_json(const DemoBehaviour& behaviour);

// Fails exactly the given fraction of requests, evenly spread and not by chance: of any N requests in a row
// between floor and ceiling of N * rate.
class ErrorAccumulator {
 public:
  bool fails(double rate);

 private:
  std::int64_t millionths_ = 0;
};

struct DemoAppOptions {
  net::Address listen;
  std::string version = "v1";
  std::string pod;  // empty: $POD_NAME, or the host's name
  DemoBehaviour behaviour;
  Duration drain_delay =
      std::chrono::seconds(1);  // it goes on serving that long after SIGTERM, until routes have left it
};

class DemoApp {
 public:
  // Errors: those of net::Listener::open.
  static Result<std::unique_ptr<DemoApp>> open(net::EventLoop& loop, DemoAppOptions options);
  virtual ~DemoApp() = default;
  virtual net::Address address() const = 0;
  virtual void drain(std::function<void()> drained) = 0;
};

// Runs until SIGTERM or SIGINT, drains, returns 0; 2 where it can't listen.
int run_demo_app(DemoAppOptions options);

}  // namespace tidegate::local
