// SPDX-License-Identifier: Apache-2.0
// Examples 04, 05, 06, 08 and 09 as their READMEs tell them. The others:
// tests/integration/first_canary_test.cc (01) and header_canary_test.cc (03, 07); prometheus_test.cc (02).
#include "api/core.h"
#include "api/rollout.h"
#include "session/http_client.h"
#include "tests/integration/shop.h"

namespace tidegate::test {
namespace {

std::string stable(const Json& rollout) { return json::string_at(rollout, "status.stableRevision"); }
bool paused(const Json& rollout) {
  return phase(rollout) == "Paused" &&
         json::int_at(rollout, "status.observedGeneration") == json::int_at(rollout, "metadata.generation");
}

class Example : public ShopTest {
 protected:
  Task<void> ships_until_paused(std::string path) {
    co_await apply(example(path));
    co_await wait_for(api::kRollouts, "shop", "waits for a person", paused);
    co_await some_more_requests();
  }
  Task<void> promote() { co_await annotate("shop", "tidegate.dev/promote", "step"); }
  Task<void> expect_gone(std::string version) {
    co_await some_more_requests();
    const auto before = answered_by(version);
    co_await some_more_requests();
    EXPECT_EQ(answered_by(version), before) << version << " still answers: " << counted();
  }
};

TEST_F(Example, BlueGreenSwitchesAllTrafficAtOnceAndBackFromABadVersion) {
  play(example("04-blue-green"), [this]() -> Task<void> {
    co_await version_1_serves();

    co_await ships_until_paused("04-blue-green/versions/v2.yaml");
    EXPECT_EQ(answered_by("v2"), 0u) << "users meet the preview";
    co_await promote();
    co_await wait_for(api::kRollouts, "shop", "is promoted", healthy_on_newest);
    co_await expect_gone("v1");
    EXPECT_EQ(load_->counts().failed, 0u) << counted();

    co_await ships_until_paused("04-blue-green/versions/v3-bad.yaml");
    co_await promote();
    const Json rollout = co_await wait_for(api::kRollouts, "shop", "is switched back", degraded);
    co_await expect_gone("v3");
    EXPECT_GT(answered_by("v3"), 0u);
    EXPECT_NE(json::string_at(rollout, "status.abort.reason").find("success-rate"), std::string::npos)
        << json::dump_pretty(rollout);
    co_await end_load();
    EXPECT_EQ(failed_beside("v3"), 0u) << counted();
  });
}

TEST_F(Example, AReferredDeploymentIsTakenOverStepsAndIsGivenBack) {
  play(example("05-workload-ref"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await wait_for(api::kDeployments, "shop", "is scaled down", [](const Json& deployment) {
      return json::int_at(deployment, "spec.replicas", 1) == 0 &&
             json::int_at(deployment, "status.replicas") == 0;
    });
    const Json before = co_await get(api::kRollouts, "shop");

    co_await apply(example("05-workload-ref/versions/v2.yaml"));
    const std::string old = stable(before);
    const std::function<bool(const Json&)> promoted = [old](const Json& rollout) {
      return phase(rollout) == "Healthy" && stable(rollout) != old;
    };
    co_await wait_for(api::kRollouts, "shop", "has promoted the Deployment's new template", promoted);
    co_await expect_gone("v1");
    EXPECT_GT(answered_by("v2"), 0u);

    const api::Key key{"default", "shop"};
    const std::string propagation = "Background";
    auto removed = co_await world_->client().remove(api::kRollouts, key, propagation);
    EXPECT_TRUE(removed) << removed.error().detail;
    co_await wait_for(api::kRollouts, "shop", "is gone", [](const Json& rollout) { return rollout.empty(); });
    const Json deployment = co_await get(api::kDeployments, "shop");
    EXPECT_EQ(json::int_at(deployment, "spec.replicas"), 2);
    EXPECT_EQ(json::int_at(deployment, "status.availableReplicas"), 2);
    co_await some_more_requests();
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();
  });
}

TEST_F(Example, TwoServicesSwapTheirRoles) {
  play(example("06-two-services"), [this]() -> Task<void> {
    co_await version_1_serves();
    const Json rollout = co_await ship("06-two-services/versions/v2.yaml", "is promoted", healthy_on_newest);
    EXPECT_EQ(json::string_at(rollout, "status.stableSlot"), "shop-green");
    co_await expect_gone("v1");
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();
  });
}

TEST_F(Example, AManualGateOpensForAPersonAlone) {
  play(example("08-manual-gate"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await ships_until_paused("08-manual-gate/versions/v2.yaml");
    EXPECT_GT(answered_by("v2"), 0u);
    co_await some_more_requests();
    const Json waiting = co_await get(api::kRollouts, "shop");
    EXPECT_EQ(phase(waiting), "Paused");
    EXPECT_EQ(json::string_at(waiting, "status.weight"), "10");
    co_await promote();
    co_await wait_for(api::kRollouts, "shop", "is promoted", healthy_on_newest);
    co_await expect_gone("v1");
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();
  });
}

struct User {
  std::string cookie, version;
};

// Asks as this user; keeps the cookie that comes with the answer.
Task<void> visit(session::HttpClient& client, User& user) {
  session::ClientRequest request;
  if (!user.cookie.empty()) request.headers.add("cookie", user.cookie);
  const auto response = co_await client.send(std::move(request));
  if (!response || response->status != 200) throw std::runtime_error("no answer for a user");
  const auto body = json::parse(response->body);
  user.version = body ? json::string_at(*body, "version") : "";
  if (const auto cookie = response->headers.get("set-cookie"))
    user.cookie = std::string(cookie->substr(0, cookie->find(';')));
}

TEST_F(Example, AUserKeepsTheVersionWhileItsWeightGrows) {
  play(example("09-same-user"), [this]() -> Task<void> {
    co_await version_1_serves();
    session::Endpoint endpoint;
    const std::string address = co_await gateway_address("demo");
    endpoint.address = {address, 8080};
    session::HttpClient client(loop_.io(), loop_.scheduler(), endpoint, "shop.example.com");
    std::vector<User> users(50);

    co_await ships_until_paused("09-same-user/versions/v2.yaml");
    for (auto& user : users) co_await visit(client, user);
    const std::vector<User> before = users;
    const auto on_v2 = [](const User& user) { return user.version == "v2"; };
    EXPECT_NEAR(double(std::count_if(users.begin(), users.end(), on_v2)), 10, 5) << "20 %, beside other load";
    co_await promote();
    const auto at_half = [](const Json& rollout) {
      return paused(rollout) && json::int_at(rollout, "status.currentStepIndex") == 3;
    };
    co_await wait_for(api::kRollouts, "shop", "is at 50 %", at_half);
    for (auto& user : users) co_await visit(client, user);
    for (std::size_t i = 0; i < users.size(); ++i)
      EXPECT_TRUE(!on_v2(before[i]) || on_v2(users[i])) << users[i].cookie;
    EXPECT_GT(std::count_if(users.begin(), users.end(), on_v2), 15) << "others came over";

    co_await annotate("shop", "tidegate.dev/abort", "enough");
    co_await wait_for(api::kRollouts, "shop", "is aborted", degraded);
    for (auto& user : users) {
      co_await visit(client, user);
      EXPECT_EQ(user.version, "v1");
    }
    const Json canary = co_await get(api::kServices, "shop-canary");
    EXPECT_FALSE(canary["metadata"]["annotations"].contains(api::kStickySplitAnnotation));
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();
  });
}

}  // namespace
}  // namespace tidegate::test
