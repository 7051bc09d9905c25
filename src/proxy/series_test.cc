// SPDX-License-Identifier: Apache-2.0
#include "proxy/series.h"

#include <gtest/gtest.h>
#include <prometheus/collectable.h>

#include "base/text.h"
#include "metrics/exposition.h"
#include "proxy/collector.h"
#include "routing/share.h"
#include "tests/support/fake_clock.h"

namespace tidegate::proxy {
namespace {

// `before`: the table that it follows.
routing::CompiledTablePtr table_with(const std::vector<std::string>& routes,
                                     const routing::CompiledTable* before = nullptr) {
  routing::Table table;
  table.generation = 1;
  table.backends = {routing::Backend{"shop", "stable", 80, "", {{"10.0.0.1", 80, false}}},
                    routing::Backend{"shop", "canary", 80, "", {}}};
  routing::Listener listener{"infra", "edge", "http", "127.0.0.1", 80, "", "", "", {}};
  for (const auto& route : routes) {
    routing::Rule rule;
    rule.route = {"HTTPRoute", "shop", route, 1};
    rule.name = "0";
    rule.matches = {{}};
    rule.backends = {{0, 90, {}, ""}, {1, 10, {}, ""}};
    listener.rules.push_back(rule);
  }
  table.listeners = {listener};
  if (before != nullptr) routing::share(table, *before->table);
  return routing::compile(std::make_shared<const routing::Table>(table), before);
}

class SeriesTest : public ::testing::Test {
 protected:
  test::FakeScheduler time;
  std::shared_ptr<SeriesBook> book = std::make_shared<SeriesBook>(2, time.clock());

  std::size_t lines_with(const std::string& needle) const {
    metrics::Exposition exposition;
    exposition.add(make_collector(book));
    std::size_t lines = 0;
    const std::string all = exposition.text();
    for (const auto line : text::split(all, '\n'))
      lines += !line.starts_with('#') && line.find(needle) != std::string_view::npos;
    return lines;
  }
};

TEST_F(SeriesTest, FollowTheRulesThroughTablesThatShareThem) {
  routing::CompiledTablePtr latest;
  const std::vector<std::vector<std::string>> routes = {
      {"a", "b", "c"}, {"b", "c"}, {"b", "d", "c"}, {"d"}, {"a", "b", "c", "d"}, {"d", "c", "b", "a"}};
  for (const auto& names : routes) {
    latest = table_with(names, latest.get());
    const auto serving = book->resolve(latest);
    for (const auto& [key, kept] : book->backends()) {
      const bool named = std::find(names.begin(), names.end(), key.route) != names.end();
      EXPECT_EQ(kept.gone.has_value(), !named) << key.route;
    }
    for (std::size_t i = 0; i < latest->slots.size(); ++i) {
      const routing::Slot& slot = latest->slots[i];
      if (slot.compiled == nullptr) continue;
      const RouteBackendKey key{{"infra", "edge", "http"}, "HTTPRoute", "shop",
                                slot.rule->route.name,     "0",         {"shop", slot.backend->name, 80}};
      EXPECT_EQ(serving->series->slots[i], book->backends().at(key).cells);
    }
    ASSERT_EQ(serving->series->backends.size(), 2U);
    EXPECT_EQ(serving->series->backends[1], book->totals().at({"shop", "canary", 80}).cells);
  }
}

TEST_F(SeriesTest, ARouteMakesNoSeriesBeforeItsFirstRequest) {
  const auto serving = book->resolve(table_with({"web"}));
  EXPECT_EQ(lines_with("route=\"web\""), 0U);
  EXPECT_EQ(lines_with("tidegate_backend_endpoints"), 0U);
  serving->series->slots[0]->of(0).record(200, FailureReason::kNone, Duration(3));
  EXPECT_EQ(lines_with("tidegate_backend_requests_total"), 1U);
  EXPECT_EQ(lines_with("tidegate_backend_endpoints"), 2U);
}

TEST_F(SeriesTest, AnActiveRuleAndBackendHasAtMost25Series) {
  const auto serving = book->resolve(table_with({"web"}));
  for (const int code : {200, 201, 404, 500, 502})
    serving->series->slots[0]->of(0).record(code, FailureReason::kNone, Duration(3));
  serving->series->slots[0]->of(1).record(503, FailureReason::kReset, Duration(3));
  EXPECT_LE(lines_with("route=\"web\""), 25U);
}

TEST_F(SeriesTest, InventedStatusCodesAreCountedTogether) {
  const auto serving = book->resolve(table_with({"web"}));
  for (int code = 200; code < 500; ++code)
    serving->series->slots[0]->of(0).record(code, FailureReason::kNone, Duration(0));
  EXPECT_EQ(lines_with("tidegate_backend_requests_total"), kCodesPerSeries + 1);
  EXPECT_EQ(lines_with("code=\"other\""), 1U);
  EXPECT_EQ(book->traffic().begin()->second.requests, 300U);
}

TEST_F(SeriesTest, CountsOutliveTheirRouteByFifteenMinutes) {
  book->resolve(table_with({"web", "old"}))
      ->series->slots[2]
      ->of(0)
      .record(200, FailureReason::kNone, Duration(1));
  const auto serving = book->resolve(table_with({"web"}));
  time.advance(14min + 59s);
  EXPECT_GT(lines_with("route=\"old\""), 0U);
  time.advance(1s);
  EXPECT_EQ(lines_with("route=\"old\""), 0U);
}

TEST_F(SeriesTest, ARouteThatComesBackGoesOnCounting) {
  book->resolve(table_with({"web"}))->series->slots[0]->of(0).record(200, FailureReason::kNone, Duration(1));
  book->resolve(table_with({}));
  time.advance(5min);
  book->resolve(table_with({"web"}))->series->slots[0]->of(1).record(200, FailureReason::kNone, Duration(1));
  time.advance(20min);
  book->forget_old();
  const auto counts = book->traffic();
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts.begin()->second.requests, 2U);
}

TEST_F(SeriesTest, TrafficIsSummedByRouteAndBackend) {
  const auto serving = book->resolve(table_with({"web"}));
  serving->series->slots[1]->of(0).record(200, FailureReason::kNone, Duration(30));
  serving->series->slots[1]->of(1).record(502, FailureReason::kReset, Duration(700));
  serving->series->slots[1]->of(1).record(499, FailureReason::kNone, Duration(1));
  const auto counts = book->traffic();
  const auto found = counts.find({"HTTPRoute", "shop", "web", "shop", "canary"});
  ASSERT_NE(found, counts.end());
  EXPECT_EQ(found->second.requests, 2U);
  EXPECT_EQ(found->second.failures, 1U);
  EXPECT_EQ(found->second.duration_counts[3], 1U);  // to 50 ms
  EXPECT_EQ(found->second.duration_counts[8], 1U);  // to 750 ms
  EXPECT_DOUBLE_EQ(found->second.duration_sum_seconds, 0.731);
}

TEST_F(SeriesTest, ADurationOnABoundBelongsToIt) {
  const auto serving = book->resolve(table_with({"web"}));
  serving->series->slots[0]->of(0).record(200, FailureReason::kNone, Duration(5));
  EXPECT_EQ(book->traffic().begin()->second.duration_counts[0], 1U);
}

}  // namespace
}  // namespace tidegate::proxy
