// SPDX-License-Identifier: Apache-2.0
// A whole world in one test: free ports, address pools of this process alone, and a coroutine that plays the
// user.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "app/world.h"
#include "tests/support/temp_dir.h"

namespace tidegate::test {

// Addresses that no other test process uses: 127.<100..219>.0.0/16, held until this process ends.
std::string gateway_pool();
std::string pod_pool();
std::string example(const std::string& path);  // a path below examples/

class WorldTest : public testing::Test {
 protected:
  app::WorldOptions options() const;

  // Opens and starts a world with these manifests, then runs `user` on its loop to the end. Fails the test
  // after two minutes.
  void play(const std::string& manifests, std::function<Task<void>()> user);

  // For `user`. They fail the test and throw out of the coroutine where time runs out. Predicates that
  // capture are named before they are handed over (net/task.h).
  Task<Json> get(api::Resource resource, std::string name);
  Task<Json> wait_for(api::Resource resource, std::string name, std::string what,
                      std::function<bool(const Json&)> holds);
  Task<void> apply(std::string path);
  Task<void> annotate(std::string rollout, std::string key, std::string value);
  Task<void> until(std::string what, std::function<bool()> holds);
  Task<std::string> gateway_address(std::string name);

  TempDir dir_;
  net::EventLoop loop_;
  std::unique_ptr<app::World> world_;
};

std::string phase(const Json& rollout);

}  // namespace tidegate::test
