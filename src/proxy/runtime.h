// SPDX-License-Identifier: Apache-2.0
// The data plane of one process: N workers, each a thread with its own event loop, listeners (SO_REUSEPORT),
// connection pools and counters. Tables arrive by publish(), are compiled on the caller's thread, and are
// posted to each worker; exchanges finish with the table they began with. Thread: control, for every call
// here. Owns: the workers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "metrics/traffic.h"
#include "net/event_loop.h"
#include "proxy/settings.h"
#include "routing/table.h"

namespace prometheus {
class Collectable;
}

namespace tidegate::proxy {

struct AccessLogOptions {
  std::string path;  // empty: no log; "-": standard output
  bool json = false;
  std::uint32_t sample = 1;  // one request in so many
};

class Runtime {
 public:
  struct Options {
    int workers = 1;
    AccessLogOptions access_log = {};
    Settings settings = {};
  };
  // What came of a published table once every worker had taken it up.
  struct Applied {
    routing::TablePtr table;
    // Listeners that could not be opened, by "address:port" (of UDP with "/udp"), with the reason ("address
    // 127.77.0.1:80 is in use"). The rest serve.
    std::vector<std::pair<std::string, Error>> failed;
    Duration took{0};
  };

  // `applied` is called on `control`, in the order of publish().
  Runtime(net::EventLoop& control, Options options, std::function<void(const Applied&)> applied);
  ~Runtime();  // drain(), then join

  void publish(routing::TablePtr table);
  routing::TablePtr table() const;  // the last published

  // Reads every worker's counters; cheap enough for once a second. Counts of routes that are gone are kept
  // for 15 minutes.
  metrics::TrafficCounts traffic() const;
  std::shared_ptr<prometheus::Collectable> collectable()
      const;  // the tidegate_backend_* and tidegate_listener_* families

  // Stop accepting, let requests under way finish (bounded by settings.drain_timeout), close. Blocks.
  void drain();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tidegate::proxy
