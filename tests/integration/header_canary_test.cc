// SPDX-License-Identifier: Apache-2.0
// Header canaries and mirrors through the real gateway and proxy: who gets which version, and what is left on
// the routes afterwards.
#include <nlohmann/json.hpp>

#include "api/rollout.h"
#include "api/routes.h"
#include "session/http_client.h"
#include "tests/integration/shop.h"

namespace tidegate::test {
namespace {

using namespace std::chrono_literals;

// A route without what others than people write: no weights, no versions, no status.
Json without_weights(Json route) {
  route.erase("status");
  for (const auto* field : {"resourceVersion", "generation", "managedFields"}) route["metadata"].erase(field);
  for (auto& rule : route["spec"]["rules"]) {
    Json others = Json::array();
    for (auto& backend : rule["backendRefs"]) {
      backend.erase("weight");
      if (backend["name"] != "shop-canary") others.push_back(backend);  // added at weight 0, and left there
    }
    rule["backendRefs"] = std::move(others);
  }
  return route;
}

std::function<bool(const Json&)> at_step(std::int64_t step) {
  return [step](const Json& rollout) {
    return phase(rollout) == "Paused" && json::int_at(rollout, "status.currentStepIndex") == step;
  };
}

class RoutesOfARollout : public ShopTest {
 protected:
  Task<void> open_client() {
    const std::string address = co_await gateway_address("demo");
    session::Endpoint endpoint;
    endpoint.address = {address, 8080};
    client_ =
        std::make_unique<session::HttpClient>(loop_.io(), loop_.scheduler(), endpoint, "shop.example.com");
  }

  struct Answer {
    int status = 0;
    std::string version;
    Duration took{0};
  };
  Task<Answer> ask(std::string canary_header) {
    session::ClientRequest request;
    if (!canary_header.empty()) request.headers.add("x-canary", canary_header);
    const auto start = loop_.scheduler().clock().steady_now();
    auto response = co_await client_->send(std::move(request));
    Answer answer;
    answer.took = std::chrono::duration_cast<Duration>(loop_.scheduler().clock().steady_now() - start);
    if (!response) {
      ADD_FAILURE() << response.error().detail;
      co_return answer;
    }
    answer.status = response->status;
    const auto body = json::parse(response->body);
    if (body) answer.version = json::string_at(*body, "version");
    co_return answer;
  }
  Task<void> expect_version(std::string canary_header, std::string version) {
    for (int i = 0; i < 20; ++i) {
      const Answer answer = co_await ask(canary_header);
      EXPECT_EQ(answer.status, 200);
      EXPECT_EQ(answer.version, version) << "x-canary: " << canary_header;
    }
  }
  Task<void> wait_until_gone(std::string route) {
    co_await wait_for(api::kHttpRoutes, route, "is gone", [](const Json& object) { return object.empty(); });
  }

  std::unique_ptr<session::HttpClient> client_;
};

TEST_F(RoutesOfARollout, AHeaderCanaryReachesOnlyThoseWhoSendTheHeader) {
  play(example("03-header-canary-first"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await open_client();
    const Json before = co_await get(api::kHttpRoutes, "shop");
    co_await apply(example("03-header-canary-first/versions/v2.yaml"));
    const auto paused = at_step(2);
    co_await wait_for(api::kRollouts, "shop", "waits for the testers", paused);

    co_await expect_version("true", "v2");
    co_await expect_version("", "v1");
    co_await expect_version("false", "v1");
    EXPECT_EQ(answered_by("v2"), 0u) << "the canary answered someone who did not ask for it: " << counted();
    const Json during = co_await get(api::kHttpRoutes, "shop");
    EXPECT_EQ(during["spec"], before["spec"]) << "the user's route is not touched";

    co_await annotate("shop", "tidegate.dev/promote", "step");
    co_await wait_for(api::kRollouts, "shop", "is promoted", healthy_on_newest);
    co_await wait_until_gone("shop-testers");
    co_await expect_version("", "v2");
    const Json after = co_await get(api::kHttpRoutes, "shop");
    EXPECT_EQ(without_weights(after), without_weights(before));
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();
  });
}

TEST_F(RoutesOfARollout, AnAbortSendsTestersBackAtOnce) {
  play(example("03-header-canary-first"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await open_client();
    const Json before = co_await get(api::kHttpRoutes, "shop");
    co_await apply(example("03-header-canary-first/versions/v2.yaml"));
    const auto paused = at_step(2);
    co_await wait_for(api::kRollouts, "shop", "waits for the testers", paused);
    co_await expect_version("true", "v2");

    co_await annotate("shop", "tidegate.dev/abort", "testers say no");
    co_await wait_for(api::kRollouts, "shop", "is back on stable", [](const Json& rollout) {
      return json::string_at(rollout, "status.message").find("all traffic is on stable") != std::string::npos;
    });
    co_await expect_version("true", "v1");
    const Json own = co_await get(api::kHttpRoutes, "shop-testers");
    EXPECT_TRUE(own.empty()) << own.dump();
    const Json after = co_await get(api::kHttpRoutes, "shop");
    EXPECT_EQ(after["spec"], before["spec"]);
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();
  });
}

TEST_F(RoutesOfARollout, ADeletedRolloutTakesItsHeaderRouteAlong) {
  play(example("03-header-canary-first"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await apply(example("03-header-canary-first/versions/v2.yaml"));
    const auto paused = at_step(2);
    co_await wait_for(api::kRollouts, "shop", "waits for the testers", paused);
    const api::Key key{"default", "shop"};
    auto removed = co_await world_->client().remove(api::kRollouts, key);
    EXPECT_TRUE(removed);
    co_await wait_until_gone("shop-testers");
    co_await end_load();
  });
}

TEST_F(RoutesOfARollout, AMirrorNeverTouchesAnAnswer) {
  play(example("07-mirror"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await open_client();
    const Json before = co_await get(api::kHttpRoutes, "shop");
    // Takes five seconds and fails half of its requests.
    co_await apply(example("07-mirror/versions/v3-bad.yaml"));
    const auto paused = at_step(1);
    co_await wait_for(api::kRollouts, "shop", "mirrors", paused);
    const Json during = co_await get(api::kHttpRoutes, "shop");
    EXPECT_EQ(json::string_at(during, "/spec/rules/0/filters/0/requestMirror/backendRef/name"),
              "shop-canary");

    for (int i = 0; i < 50; ++i) {
      const Answer answer = co_await ask("");
      EXPECT_EQ(answer.status, 200);
      EXPECT_EQ(answer.version, "v1");
      EXPECT_LT(answer.took, 2500ms) << "an answer waited for the mirror";
    }
    co_await some_more_requests();
    EXPECT_EQ(answered_by("v3"), 0u) << counted();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();

    co_await annotate("shop", "tidegate.dev/abort", "too slow");
    co_await wait_for(api::kRollouts, "shop", "is aborted", degraded);
    const Json after = co_await get(api::kHttpRoutes, "shop");
    EXPECT_EQ(without_weights(after), without_weights(before))
        << "the filter is gone, and all else as before";
    co_await some_more_requests();
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();
  });
}

}  // namespace
}  // namespace tidegate::test
