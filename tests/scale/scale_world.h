// SPDX-License-Identifier: Apache-2.0
// A whole world for measurements: API server, gateway, proxy and Rollout controller in process, over real
// sockets and on real time. Behind the Services of each Rollout stand two servers of this process, on a
// thread of their own together with the load; so what is measured shares nothing with what is counted.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "app/world.h"
#include "local/demo_load.h"
#include "session/http_server.h"
#include "tests/support/temp_dir.h"

namespace tidegate::test {

// Servers of the stable and the canary slot, and who asks them. Thread: its own, once run.
class Users {
 public:
  Users();
  ~Users();
  net::Address slot(bool canary) const { return servers_[canary]->address(); }
  void begin(local::DemoLoadOptions load);

  // Any thread.
  SteadyTime last_of_canary() const { return SteadyTime(Duration(last_of_canary_.load())); }

 private:
  net::EventLoop loop_;
  std::unique_ptr<session::HttpServer> servers_[2];
  std::unique_ptr<local::DemoLoad> load_;
  std::atomic<Duration::rep> last_of_canary_{0};
  std::thread thread_;
};

class ScaleWorld {
 public:
  // Opens and starts a world, then runs `measure` on its loop to the end.
  void play(std::function<Task<void>()> measure);

  // For `measure`; all of them end the program with a message where they can't.
  Task<void> create(const api::Resource& resource, Json object);
  Task<void> patch(std::string rollout, Json patch);
  Task<Json> get(std::string rollout);
  Task<std::vector<Json>> list();
  // A Rollout of two slots behind a route for <name>.example.com, and all that it needs.
  Task<void> create_rollout(std::string name, Json steps, std::string revision);
  Task<net::Address> gateway();
  Task<void> sleep(Duration time);

  Users users;

 private:
  TempDir dir_;
  net::EventLoop loop_;
  std::unique_ptr<app::World> world_;
};

}  // namespace tidegate::test
