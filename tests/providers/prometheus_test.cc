// SPDX-License-Identifier: Apache-2.0
// The prometheus provider and Fetch against a real Prometheus, which scrapes a server of the test.
#include <nlohmann/json.hpp>

#include <cmath>
#include <optional>

#include "metrics/providers/fetch.h"
#include "session/http_server.h"
#include "session/loopback.h"
#include "tests/integration/prometheus.h"
#include "tests/support/temp_dir.h"

namespace tidegate::metrics::providers {
namespace {

constexpr auto kExposition = R"(# TYPE shop_requests counter
shop_requests{version="stable"} 90
shop_requests{version="canary"} 10
shop_nothing NaN
)";

class PrometheusTest : public session::LoopbackTest {
 protected:
  void SetUp() override {
    if (!test::Prometheus::installed()) GTEST_SKIP() << "no prometheus was found when this was configured";
    serve_metrics();
    prometheus_.emplace(dir_.path(), net::to_string(shop_->address()));
    const auto serves = [&] { return !(address_ = prometheus_->url()).empty(); };
    ASSERT_TRUE(run_until(serves)) << prometheus_->log();
  }

  // The first scrape comes some seconds after the start.
  void wait_for_scrape() {
    const auto limit = system_clock().steady_now() + std::chrono::seconds(30);
    while (measured("sum(shop_requests)") != "100" && system_clock().steady_now() < limit) settle();
  }

  void serve_metrics() {
    auto answer = [](session::Request, session::Responder responder) {
      responder.send({.content_type = "text/plain; version=0.0.4", .body = kExposition});
    };
    auto server =
        session::HttpServer::open(loop_.io(), loop_.scheduler(), {.address = {"127.0.0.1", 0}}, answer);
    ASSERT_TRUE(server) << server.error().detail;
    shop_ = std::move(*server);
  }

  // The values, or the error.
  std::string measured(const std::string& query) {
    const auto& provider = *find_provider("prometheus");
    const Json spec = {{"address", address_}, {"query", query}};
    std::optional<std::string> text;
    const auto call = fetch_->start(*provider.request(spec, TimePoint()), [&](Result<HttpAnswer> answer) {
      const auto reading = answer ? provider.read(spec, *answer) : Result<Reading>(answer.error());
      text = reading ? shown(*reading) : reading.error().detail;
    });
    run_until([&] { return text.has_value(); });
    return text.value_or("no answer");
  }
  static std::string shown(const Reading& reading) {
    std::string out;
    for (const double value : reading.values) {
      out += (out.empty() ? "" : " ") + (std::isnan(value) ? "NaN" : std::to_string(std::lround(value)));
    }
    return out;
  }

  test::TempDir dir_;
  std::unique_ptr<session::HttpServer> shop_;
  std::optional<test::Prometheus> prometheus_;
  std::unique_ptr<Fetch> fetch_ = open_fetch(loop_.io(), loop_.scheduler());
  std::string address_;
};

TEST_F(PrometheusTest, AnswersInEveryForm) {
  wait_for_scrape();
  EXPECT_EQ(measured("sum(shop_requests)"), "100");
  EXPECT_EQ(measured("shop_requests{version=\"canary\"}"), "10");
  EXPECT_EQ(measured("scalar(sum(shop_requests)) * 2"), "200");
  EXPECT_EQ(measured("sort(shop_requests)"), "10 90");
  EXPECT_EQ(measured("shop_requests{version=\"canary\"}[1m]").substr(0, 2), "10");
  EXPECT_EQ(measured("shop_nothing"), "NaN");
  EXPECT_EQ(measured("shop_requests{version=\"none\"}"), "");
  EXPECT_EQ(measured("0 / 0"), "NaN");
}

TEST_F(PrometheusTest, RefusesBadQueriesInItsWords) {
  const auto text = measured("sum(");
  EXPECT_TRUE(text.starts_with("prometheus at " + address_ + ": status 400: ")) << text;
  EXPECT_NE(text.find("parse error"), std::string::npos) << text;
}

}  // namespace
}  // namespace tidegate::metrics::providers
