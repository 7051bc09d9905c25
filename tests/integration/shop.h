// SPDX-License-Identifier: Apache-2.0
// The shop of the examples with its users: a Rollout of the demo workload behind Gateway demo, and a steady
// load on it whose answers are counted by version.
#pragma once

#include "local/demo_load.h"
#include "tests/integration/world_fixture.h"

namespace tidegate::test {

// Healthy, and on the newest generation.
bool healthy_on_newest(const Json& rollout);
bool degraded(const Json& rollout);

class ShopTest : public WorldTest {
 protected:
  // Version 1 serves and the load runs.
  Task<void> version_1_serves();
  // Ships a version and waits for its end.
  Task<Json> ship(std::string path, std::string how, std::function<bool(const Json&)> ended);
  Task<void> some_more_requests();
  Task<void> end_load();

  std::uint64_t answered_by(const std::string& version) const;
  std::string counted() const { return to_lines(load_->counts()); }  // for messages
  // Requests that failed, save those that this version failed itself.
  std::uint64_t failed_beside(const std::string& version) const;

  std::unique_ptr<local::DemoLoad> load_;
};

}  // namespace tidegate::test
