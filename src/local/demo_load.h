// SPDX-License-Identifier: Apache-2.0
// A steady load for the examples: requests at a fixed rate whatever the answers do (open loop, so that slow
// answers do not hide), each counted by the version that answered it and by how it failed. Not: a benchmark.
// Thread: its own loop, which it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "net/event_loop.h"
#include "net/stream.h"

namespace tidegate::local {

struct DemoLoadOptions {
  net::Address target;
  std::string host;  // Host header; empty: the target
  std::string path = "/";
  double rate = 100;                            // requests a second
  Duration duration{0};                         // 0: until SIGTERM or SIGINT
  Duration timeout = std::chrono::seconds(10);  // of one request
  std::string report;  // a file that always holds the counts as text, replaced each 200 ms; empty: none
};

struct LoadCounts {
  struct Version {
    std::uint64_t requests = 0, failed = 0;
  };
  std::uint64_t requests = 0, failed = 0, in_flight = 0;
  std::map<std::string, Version> versions;        // as the workload says in its answers
  std::map<std::string, std::uint64_t> failures;  // why: "500 from v3", "503", "reset"
};
Json to_json(const LoadCounts& counts);
// A line each, for scripts: "requests 120", "failed 3", "version v3 20 3" (requests, failed), "failure 3 500
// from v3".
std::string to_lines(const LoadCounts& counts);

// The load on somebody's loop. Thread: that loop's.
class DemoLoad {
 public:
  DemoLoad(net::EventLoop& loop, DemoLoadOptions options);
  ~DemoLoad();

  void start();
  // No new requests; `done` is called once those under way are answered or timed out.
  void stop(std::function<void()> done);
  const LoadCounts& counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The load as a command. Returns the exit code: 0 done (failed requests are counted, not judged), 2 if the
// target can't be reached at all.
int run_demo_load(const DemoLoadOptions& options);

}  // namespace tidegate::local
