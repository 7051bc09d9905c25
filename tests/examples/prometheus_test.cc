// SPDX-License-Identifier: Apache-2.0
// Example 02 with a real Prometheus, which scrapes the world's own metrics.
#include "tests/integration/prometheus.h"

#include "api/analysis_run.h"
#include "api/rollout.h"
#include "tests/integration/shop.h"

namespace tidegate::test {
namespace {

class PrometheusExample : public ShopTest {
 protected:
  // Where the template asks, in place of Prometheus' usual port.
  Task<void> prometheus_serves() {
    prometheus_.emplace(dir_.path(), net::to_string(world_->metrics_address()));
    const std::function<bool()> ready = [this] { return !prometheus_->url().empty(); };
    co_await until("Prometheus serves", ready);
    const Json args =
        Json::array({{{"name", "prometheus"}, {"value", prometheus_->url()}}, {{"name", "least"}}});
    const Json patch = {{"spec", {{"args", args}}}};
    const api::Key key{"default", "success-rate"};
    auto patched =
        co_await world_->client().patch(api::kAnalysisTemplates, key, kube::PatchType::kMerge, patch);
    EXPECT_TRUE(patched) << patched.error().detail;
  }

  std::optional<Prometheus> prometheus_;
};

TEST_F(PrometheusExample, AGoodVersionIsPromotedAndABadOneIsShutOut) {
  if (!Prometheus::installed()) GTEST_SKIP() << "no prometheus was found when this was configured";
  play(example("02-prometheus"), [this]() -> Task<void> {
    co_await prometheus_serves();
    co_await version_1_serves();
    const Json promoted = co_await ship("02-prometheus/versions/v2.yaml", "is promoted", healthy_on_newest);
    EXPECT_GT(json::int_at(promoted, "/status/analysisRuns/0/metrics/0/successful"), 0)
        << json::dump_pretty(promoted);
    EXPECT_EQ(load_->counts().failed, 0u) << counted();

    const Json aborted = co_await ship("02-prometheus/versions/v3-bad.yaml", "is rolled back", degraded);
    EXPECT_NE(json::string_at(aborted, "status.abort.reason").find("prometheus"), std::string::npos)
        << json::dump_pretty(aborted);
    co_await end_load();
    EXPECT_GT(answered_by("v3"), 0u);
    EXPECT_EQ(failed_beside("v3"), 0u) << counted();
  });
}

}  // namespace
}  // namespace tidegate::test
