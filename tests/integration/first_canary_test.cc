// SPDX-License-Identifier: Apache-2.0
// What `make quickstart` does, in process: real pods, real traffic, a good version and a bad one.
#include <nlohmann/json.hpp>

#include "api/core.h"
#include "api/rollout.h"
#include "api/routes.h"
#include "tests/integration/world_fixture.h"

namespace tidegate::test {
namespace {

using namespace std::chrono_literals;

local::DemoLoadOptions load_on(const std::string& address) {
  local::DemoLoadOptions options;
  options.target = {address, 8080};
  options.host = "shop.example.com";
  options.rate = 200;
  return options;
}

bool healthy_on_new_revision(const Json& rollout) {
  return phase(rollout) == "Healthy" &&
         json::int_at(rollout, "status.observedGeneration") == json::int_at(rollout, "metadata.generation");
}

std::uint64_t requests_of(const local::LoadCounts& counts, const std::string& version) {
  auto it = counts.versions.find(version);
  return it == counts.versions.end() ? 0 : it->second.requests;
}

class FirstCanary : public WorldTest {
 protected:
  // Version 1 serves and the load runs.
  Task<void> version_1_serves() {
    const std::string address = co_await gateway_address("demo");
    co_await wait_for(api::kRollouts, "shop", "is healthy", healthy_on_new_revision);
    load_ = std::make_unique<local::DemoLoad>(loop_, load_on(address));
    load_->start();
    const std::function<bool()> first_answers = [this] { return requests_of(load_->counts(), "v1") > 50; };
    co_await until("version 1 answers", first_answers);
    EXPECT_EQ(load_->counts().failed, 0u) << to_lines(load_->counts());
  }
  Task<void> some_more_requests() {
    const auto enough = load_->counts().requests + 100;
    const std::function<bool()> answered = [this, enough] { return load_->counts().requests >= enough; };
    co_await until("100 more requests are answered", answered);
  }
  Task<void> end_load() {
    auto done = std::make_shared<bool>(false);
    load_->stop([done] { *done = true; });
    const std::function<bool()> ended = [done] { return *done; };
    co_await until("the load has ended", ended);
  }

  std::unique_ptr<local::DemoLoad> load_;
};

TEST_F(FirstCanary, AGoodVersionIsPromotedAndABadOneIsShutOut) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    co_await version_1_serves();

    co_await apply(example("01-first-canary/versions/v2.yaml"));
    co_await wait_for(api::kRollouts, "shop", "is promoted to version 2", healthy_on_new_revision);
    co_await some_more_requests();
    const auto before = requests_of(load_->counts(), "v1");
    co_await some_more_requests();
    EXPECT_EQ(requests_of(load_->counts(), "v1"), before) << "version 1 is still served after the promotion";
    EXPECT_EQ(load_->counts().failed, 0u) << to_lines(load_->counts());

    co_await apply(example("01-first-canary/versions/v3-bad.yaml"));
    const Json rollout = co_await wait_for(api::kRollouts, "shop", "is rolled back",
                                           [](const Json& object) { return phase(object) == "Degraded"; });
    co_await some_more_requests();
    const auto canary = requests_of(load_->counts(), "v3");
    co_await some_more_requests();
    EXPECT_GT(canary, 0u);
    EXPECT_EQ(requests_of(load_->counts(), "v3"), canary) << "version 3 is still served after the rollback";
    EXPECT_NE(json::string_at(rollout, "status.abort.reason").find("success-rate"), std::string::npos)
        << json::dump_pretty(rollout);

    co_await end_load();
    const auto& counts = load_->counts();
    EXPECT_EQ(counts.failed, counts.versions.at("v3").failed)
        << "failures that version 3 did not make: " << to_lines(counts);
  });
}

TEST_F(FirstCanary, TheAbortAnnotationReturnsAllTrafficToStable) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await apply(example("01-first-canary/versions/v2.yaml"));
    const std::function<bool()> canary_answers = [this] { return requests_of(load_->counts(), "v2") > 0; };
    co_await until("the canary answers", canary_answers);
    co_await annotate("shop", "tidegate.dev/abort", "looks odd");
    const Json rollout = co_await wait_for(api::kRollouts, "shop", "is aborted",
                                           [](const Json& object) { return phase(object) == "Degraded"; });
    EXPECT_NE(json::string_at(rollout, "status.abort.reason").find("looks odd"), std::string::npos);
    co_await some_more_requests();
    const auto canary = requests_of(load_->counts(), "v2");
    co_await some_more_requests();
    EXPECT_EQ(requests_of(load_->counts(), "v2"), canary) << "the canary is still served after the abort";
    co_await wait_for(api::kRollouts, "shop", "has lost its annotation", [](const Json& object) {
      return !json::object_at(object, "metadata.annotations").contains("tidegate.dev/abort");
    });
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << to_lines(load_->counts());
  });
}

TEST_F(FirstCanary, ARolloutThatNamesAMissingRouteSaysSoAndMovesNothing) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    co_await version_1_serves();
    const Json before = co_await get(api::kHttpRoutes, "shop");
    const Json patch = Json::parse(
        R"({"spec":{"strategy":{"canary":{"trafficRouting":{"routes":[{"name":"no-such-route"}]}}}}})");
    const api::Key key{"default", "shop"};
    auto patched = co_await world_->client().patch(api::kRollouts, key, kube::PatchType::kMerge, patch);
    EXPECT_TRUE(patched) << patched.error().detail;
    const Json rollout =
        co_await wait_for(api::kRollouts, "shop", "says what is wrong", [](const Json& object) {
          return json::string_at(object, "status.message").find("no-such-route") != std::string::npos;
        });
    EXPECT_NE(json::dump(rollout).find("spec.strategy.canary.trafficRouting.routes[0].name"),
              std::string::npos)
        << json::dump_pretty(rollout);
    const Json after = co_await get(api::kHttpRoutes, "shop");
    EXPECT_EQ(json::dump(after["spec"]), json::dump(before["spec"]));
    co_await some_more_requests();
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u);
  });
}

}  // namespace
}  // namespace tidegate::test
