// SPDX-License-Identifier: Apache-2.0
// An experiment through the real gateway and proxy, with real pods: who answers meanwhile, what judges it,
// and what is left of it.
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "api/core.h"
#include "api/rollout.h"
#include "api/routes.h"
#include "tests/integration/shop.h"

namespace tidegate::test {
namespace {

constexpr const char* kSteps = R"(      steps:
        - experiment:
            duration: 2s
            templates:
              - {name: baseline, specRef: stable, weight: 20}
              - {name: candidate, specRef: canary, weight: 20}
            analysis:
              metrics:
                - name: success-rate
                  interval: 1s
                  minRequests: 5
                  provider: {gateway: {metric: success-rate}}
                  successCondition: result[0] >= 0.95
)";

class Experiment : public ShopTest {
 protected:
  // A version of the first example that goes through an experiment in place of its steps.
  Task<void> ship_as_experiment(std::string version) {
    std::ostringstream text;
    text << std::ifstream(example("01-first-canary/versions/" + version + ".yaml")).rdbuf();
    const std::string file = dir_.path() + "/" + version + ".yaml";
    std::ofstream(file) << text.str().substr(0, text.str().find("      steps:")) << kSteps;
    co_await apply(file);
  }
  Task<std::size_t> count(api::Resource resource) {
    const kube::ListOptions options{"default", std::string(api::kExperimentLabel), ""};
    auto list = co_await world_->client().list(resource, options);
    EXPECT_TRUE(list);
    co_return list ? list->items.size() : 0;
  }
  Task<void> expect_nothing_left() {
    const std::function<bool(const Json&)> free = [](const Json& rollout) {
      return json::array_at(rollout, "metadata.finalizers").empty();
    };
    co_await wait_for(api::kRollouts, "shop", "has nothing of the experiment left", free);
    EXPECT_EQ(co_await count(api::kReplicaSets), 0u);
    EXPECT_EQ(co_await count(api::kServices), 0u);
    const Json route = co_await get(api::kHttpRoutes, "shop");
    for (const auto& rule : json::array_at(route, "spec.rules")) {
      for (const auto& backend : json::array_at(rule, "backendRefs"))
        EXPECT_TRUE(backend["name"] == "shop-stable" || backend["name"] == "shop-canary") << backend;
    }
  }
};

TEST_F(Experiment, APassedOneLeadsToThePromotion) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await ship_as_experiment("v2");
    const std::function<bool(const Json&)> under_way = [](const Json& rollout) {
      return json::array_at(rollout, "status.weights.experiments").size() == 2 &&
             json::find(rollout, "status.weights.verifiedAt");
    };
    co_await wait_for(api::kRollouts, "shop", "runs both versions beside stable", under_way);
    EXPECT_EQ(co_await count(api::kReplicaSets), 2u);
    const Json rollout = co_await wait_for(api::kRollouts, "shop", "is promoted", healthy_on_newest);
    EXPECT_EQ(json::string_at(rollout, "/status/history/0/outcome"), "Promoted");
    const std::string figures = json::string_at(rollout, "/status/history/0/steps/0/figures");
    EXPECT_TRUE(figures.starts_with("metric success-rate: ") && figures.ends_with(" passed")) << figures;
    co_await expect_nothing_left();
    co_await end_load();
    EXPECT_EQ(load_->counts().failed, 0u) << counted();
  });
}

TEST_F(Experiment, AFailedOneAbortsTheRollout) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await ship_as_experiment("v3-bad");
    const Json rollout = co_await wait_for(api::kRollouts, "shop", "is aborted", degraded);
    EXPECT_NE(json::string_at(rollout, "status.abort.reason").find("success-rate"), std::string::npos)
        << rollout["status"]["abort"];
    EXPECT_GT(answered_by("v3"), 0u) << "only the experiment's pods could have answered";
    co_await expect_nothing_left();
    co_await end_load();
    EXPECT_EQ(failed_beside("v3"), 0u) << counted();
  });
}

}  // namespace
}  // namespace tidegate::test
