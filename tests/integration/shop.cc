// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/shop.h"

#include "api/rollout.h"

namespace tidegate::test {

bool healthy_on_newest(const Json& rollout) {
  return phase(rollout) == "Healthy" &&
         json::int_at(rollout, "status.observedGeneration") == json::int_at(rollout, "metadata.generation");
}

bool degraded(const Json& rollout) { return phase(rollout) == "Degraded"; }

Task<void> ShopTest::version_1_serves() {
  const std::string address = co_await gateway_address("demo");
  co_await wait_for(api::kRollouts, "shop", "is healthy", healthy_on_newest);
  local::DemoLoadOptions options;
  options.target = {address, 8080};
  options.host = "shop.example.com";
  options.rate = 200;
  load_ = std::make_unique<local::DemoLoad>(loop_, std::move(options));
  load_->start();
  const std::function<bool()> first_answers = [this] { return answered_by("v1") > 50; };
  co_await until("version 1 answers", first_answers);
  EXPECT_EQ(load_->counts().failed, 0u) << counted();
}

Task<Json> ShopTest::ship(std::string path, std::string how, std::function<bool(const Json&)> ended) {
  co_await apply(example(path));
  const Json rollout = co_await wait_for(api::kRollouts, "shop", how, ended);
  co_await some_more_requests();
  co_return rollout;
}

Task<void> ShopTest::some_more_requests() {
  const auto enough = load_->counts().requests + 100;
  const std::function<bool()> answered = [this, enough] { return load_->counts().requests >= enough; };
  co_await until("100 more requests are answered", answered);
}

Task<void> ShopTest::end_load() {
  auto done = std::make_shared<bool>(false);
  load_->stop([done] { *done = true; });
  const std::function<bool()> ended = [done] { return *done; };
  co_await until("the load has ended", ended);
}

std::uint64_t ShopTest::answered_by(const std::string& version) const {
  const auto& versions = load_->counts().versions;
  const auto found = versions.find(version);
  return found == versions.end() ? 0 : found->second.requests;
}

std::uint64_t ShopTest::failed_beside(const std::string& version) const {
  const auto& versions = load_->counts().versions;
  const auto found = versions.find(version);
  return load_->counts().failed - (found == versions.end() ? 0 : found->second.failed);
}

}  // namespace tidegate::test
