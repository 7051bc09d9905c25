// SPDX-License-Identifier: Apache-2.0
#include "analysis/record.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/resolve.h"

namespace tidegate::analysis {
namespace {

const TimePoint kStart{std::chrono::seconds(1'800'000'000)};

api::AnalysisRunStatus measured(int times) {
  api::MetricStatus metric;
  metric.name = "success";
  metric.phase = "Running";
  metric.outcome = "Successful";
  metric.value = "0." + std::to_string(times);
  metric.count = metric.successful = times;
  metric.measured_at = kStart + std::chrono::seconds(times);
  return {"background", "Running", api::kBackgroundRun, kStart, {metric}};
}

TEST(Record, KeepsTheLastMeasurements) {
  api::Metric metric;
  metric.name = "success";
  metric.retained = 3;
  Json status = Json::object();
  for (int i = 1; i <= 5; ++i) status = run_status(measured(i), {metric}, "", status, kStart);
  const Json again = run_status(measured(5), {metric}, "", status, kStart);
  EXPECT_EQ(status, again) << "nothing new, nothing written";
  const Json& kept = status["metrics"][0]["measurements"];
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(json::string_at(kept.front(), "value"), "0.3");
  EXPECT_EQ(json::string_at(kept.back(), "value"), "0.5");
  EXPECT_EQ(json::string_at(status, "summary"), "5 passed, 0 failed");
}

TEST(Record, IsCompletedOnce) {
  auto run = measured(1);
  EXPECT_FALSE(run_status(run, {}, "", Json::object(), kStart).contains("completedAt"));
  run.phase = "Failed";
  const Json first = run_status(run, {}, "", Json::object(), kStart);
  const Json second = run_status(run, {}, "", first, kStart + std::chrono::hours(1));
  EXPECT_TRUE(first.contains("completedAt"));
  EXPECT_EQ(first["completedAt"], second["completedAt"]);
}

TEST(FillIn, ReplacesWhatHasAValueAndNamesWhatHasNone) {
  const std::map<std::string, std::string> args = {{"service", "shop"}, {"empty", ""}};
  const struct {
    const char *text, *filled, *missing;
  } cases[] = {{"up", "up", ""},
               {"{{args.service}}", "shop", ""},
               {"a{{ args.service }}b{{args.service}}", "ashopbshop", ""},
               {"[{{args.empty}}]", "[]", ""},
               {"{{args.other}} {{args.service}}", "{{args.other}} shop", "other"},
               {"{{ $labels.pod }}", "{{ $labels.pod }}", ""},
               {"{{args.service", "{{args.service", ""}};
  for (const auto& c : cases) {
    std::vector<std::string> missing;
    EXPECT_EQ(fill_in(c.text, args, missing), c.filled);
    EXPECT_EQ(missing.empty() ? "" : missing.front(), c.missing) << c.text;
  }
}

}  // namespace
}  // namespace tidegate::analysis
