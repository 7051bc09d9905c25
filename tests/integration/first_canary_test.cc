// SPDX-License-Identifier: Apache-2.0
// What `make quickstart` does, in process: real pods, real traffic, a good version and a bad one.
#include <nlohmann/json.hpp>

#include "api/core.h"
#include "api/rollout.h"
#include "api/routes.h"
#include "tests/integration/shop.h"

namespace tidegate::test {
namespace {

using FirstCanary = ShopTest;

TEST_F(FirstCanary, AGoodVersionIsPromotedAndABadOneIsShutOut) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    co_await version_1_serves();

    co_await ship("01-first-canary/versions/v2.yaml", "is promoted to version 2", healthy_on_newest);
    const auto before = answered_by("v1");
    co_await some_more_requests();
    EXPECT_EQ(answered_by("v1"), before) << "version 1 is still served after the promotion";
    EXPECT_EQ(load_->counts().failed, 0u) << counted();

    const Json rollout = co_await ship("01-first-canary/versions/v3-bad.yaml", "is rolled back", degraded);
    const auto canary = answered_by("v3");
    co_await some_more_requests();
    EXPECT_GT(canary, 0u);
    EXPECT_EQ(answered_by("v3"), canary) << "version 3 is still served after the rollback";
    EXPECT_NE(json::string_at(rollout, "status.abort.reason").find("success-rate"), std::string::npos)
        << json::dump_pretty(rollout);

    co_await end_load();
    EXPECT_EQ(failed_beside("v3"), 0u) << "failures that version 3 did not make: " << counted();
  });
}

TEST_F(FirstCanary, TheAbortAnnotationReturnsAllTrafficToStable) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await apply(example("01-first-canary/versions/v2.yaml"));
    const std::function<bool()> canary_answers = [this] { return answered_by("v2") > 0; };
    co_await until("the canary answers", canary_answers);
    co_await annotate("shop", "tidegate.dev/abort", "looks odd");
    const Json rollout = co_await wait_for(api::kRollouts, "shop", "is aborted", degraded);
    EXPECT_NE(json::string_at(rollout, "status.abort.reason").find("looks odd"), std::string::npos);
    co_await some_more_requests();
    const auto canary = answered_by("v2");
    co_await some_more_requests();
    EXPECT_EQ(answered_by("v2"), canary) << "the canary is still served after the abort";
    co_await wait_for(api::kRollouts, "shop", "has lost its annotation", [](const Json& object) {
      return !json::object_at(object, "metadata.annotations").contains("tidegate.dev/abort");
    });
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();
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
