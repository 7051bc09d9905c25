// SPDX-License-Identifier: Apache-2.0
// Analyses against a provider that is served beside them: what it is asked, what comes of its answers, and
// that no secret is left anywhere.
#include <nlohmann/json.hpp>

#include "api/analysis_run.h"
#include "api/core.h"
#include "api/rollout.h"
#include "base/text.h"
#include "session/http_server.h"
#include "tests/integration/world_fixture.h"

namespace tidegate::test {
namespace {

constexpr const char* kSecret = "s3cr3t-token";

class AnalysisTest : public WorldTest {
 protected:
  void serve() {
    session::HttpServer::Options options;
    options.address = {"127.0.0.1", 0};
    auto opened = session::HttpServer::open(loop_.io(), loop_.scheduler(), options,
                                            [this](session::Request request, session::Responder responder) {
                                              authorization_ =
                                                  request.head.headers.get("authorization").value_or("");
                                              ++asked_;
                                              target_ = request.head.target;
                                              responder.send({status_, "application/json", answer_});
                                            });
    ASSERT_TRUE(opened) << opened.error().detail;
    provider_ = std::move(*opened);
    url_ = "http://" + net::to_string(provider_->address());
  }

  Task<void> create(api::Resource resource, std::string document) {
    Json object = Json::parse(document);
    object["metadata"]["namespace"] = "default";
    auto created = co_await world_->client().create(resource, std::move(object));
    EXPECT_TRUE(created) << created.error().detail;
  }

  Task<void> create_run(std::string name, std::string metric_fields) {
    const std::string document =
        R"({"apiVersion": "tidegate.dev/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": ")" + name +
        R"("}, "spec": {"args": [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "monitoring", "key": "token"}}}],
           "metrics": [{"name": "checks", "interval": "1s", )" +
        metric_fields + R"("provider": {"web": {"url": ")" + url_ +
        R"(/checks", "jsonPath": "{$.rate}", "headers": [{"key": "Authorization", "value": "Bearer {{args.token}}"}]}},
           "successCondition": "result[0] >= 0.95"}]}})";
    co_await create(api::kAnalysisRuns, document);
  }

  Task<void> create_secret() {
    const std::string document =
        R"({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "monitoring"}, "data": {"token": ")" +
        text::base64_encode(kSecret) + R"("}})";
    co_await create(api::kSecrets, document);
  }

  std::unique_ptr<session::HttpServer> provider_;
  std::string url_, answer_ = R"({"rate": 0.99})", authorization_, target_;
  int status_ = 200, asked_ = 0;
};

bool over(const Json& run) {
  const std::string phase = json::string_at(run, "status.phase");
  return !phase.empty() && phase != "Running";
}

TEST_F(AnalysisTest, ARunOfAPersonIsMeasuredToItsEnd) {
  serve();
  play(example("01-first-canary/gateway.yaml"), [this]() -> Task<void> {
    co_await create_secret();
    co_await create_run("good", R"("count": 2, )");
    const Json run = co_await wait_for(api::kAnalysisRuns, "good", "is over", over);
    EXPECT_EQ(json::string_at(run, "status.phase"), "Successful") << json::dump_pretty(run);
    EXPECT_EQ(json::string_at(run, "status.summary"), "2 passed, 0 failed");
    EXPECT_EQ(json::array_at(run["status"]["metrics"][0], "measurements").size(), 2u);
    EXPECT_EQ(authorization_, std::string("Bearer ") + kSecret);
    EXPECT_EQ(json::dump(run).find(kSecret), std::string::npos);
  });
}

TEST_F(AnalysisTest, G5_ErrorsOfAProviderAreNeverAPass) {
  serve();
  status_ = 500;
  answer_ = std::string("no such token: ") + kSecret;
  play(example("01-first-canary/gateway.yaml"), [this]() -> Task<void> {
    co_await create_secret();
    co_await create_run("away", R"("consecutiveErrorLimit": 1, )");
    const Json run = co_await wait_for(api::kAnalysisRuns, "away", "is over", over);
    EXPECT_EQ(json::string_at(run, "status.phase"), "Error") << json::dump_pretty(run);
    EXPECT_NE(json::string_at(run, "status.message").find("500"), std::string::npos)
        << json::dump_pretty(run);
    EXPECT_EQ(json::dump(run).find(kSecret), std::string::npos) << "a secret was shown";
  });
}

TEST_F(AnalysisTest, ABadAnswerOfPrometheusReturnsAllTrafficToStable) {
  serve();
  answer_ =
      R"({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "0.5"]}]}})";
  play(example("02-prometheus"), [this]() -> Task<void> {
    const Json patch = {{"spec", {{"args", Json::array({{{"name", "prometheus"}, {"value", url_}}})}}}};
    const api::Key key{"default", "success-rate"};
    auto patched =
        co_await world_->client().patch(api::kAnalysisTemplates, key, kube::PatchType::kMerge, patch);
    EXPECT_TRUE(patched) << patched.error().detail;
    co_await wait_for(api::kRollouts, "shop", "is healthy",
                      [](const Json& rollout) { return phase(rollout) == "Healthy"; });
    co_await apply(example("02-prometheus/versions/v2.yaml"));
    const Json rollout = co_await wait_for(api::kRollouts, "shop", "is rolled back",
                                           [](const Json& object) { return phase(object) == "Degraded"; });
    EXPECT_NE(json::string_at(rollout, "status.abort.reason").find("prometheus 0.5"), std::string::npos)
        << json::dump_pretty(rollout);
    EXPECT_NE(target_.find("shop-canary"), std::string::npos) << target_;
    kube::ListOptions of_shop;
    of_shop.ns = "default";
    of_shop.label_selector = std::string(api::kRolloutLabel) + "=shop";
    auto runs = co_await world_->client().list(api::kAnalysisRuns, of_shop);
    EXPECT_TRUE(runs && runs->items.size() == 1u);
    if (!runs || runs->items.empty()) co_return;
    // A run is written seldom, and so behind its Rollout.
    const std::string name = json::string_at(runs->items.front(), "metadata.name");
    const std::function<bool(const Json&)> failed = [](const Json& run) { return phase(run) == "Failed"; };
    const Json run = co_await wait_for(api::kAnalysisRuns, name, "has failed", failed);
    EXPECT_EQ(json::string_at(run, "status.summary"), "0 passed, 2 failed");
  });
}

TEST_F(AnalysisTest, AJobIsRunAndItsEndIsTheVerdict) {
  play(example("01-first-canary/gateway.yaml"), [this]() -> Task<void> {
    for (const auto& [name, command] : {std::pair{"passes", "true"}, std::pair{"fails", "false"}}) {
      const std::string document =
          R"({"apiVersion": "tidegate.dev/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": ")" +
          std::string(name) + R"("}, "spec": {"metrics": [{"name": "smoke", "count": 1, "provider": {"job": {
             "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [
               {"name": "c", "image": "any", "command": [")" +
          command + R"("]}]}}}}}}]}})";
      co_await create(api::kAnalysisRuns, document);
    }
    const Json passed = co_await wait_for(api::kAnalysisRuns, "passes", "is over", over);
    EXPECT_EQ(json::string_at(passed, "status.phase"), "Successful") << json::dump_pretty(passed);
    const Json failed = co_await wait_for(api::kAnalysisRuns, "fails", "is over", over);
    EXPECT_EQ(json::string_at(failed, "status.phase"), "Failed") << json::dump_pretty(failed);
    const std::string message = json::dump_pretty(failed["status"]);
    EXPECT_NE(message.find("BackoffLimitExceeded"), std::string::npos) << message;
  });
}

}  // namespace
}  // namespace tidegate::test
