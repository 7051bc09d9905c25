// SPDX-License-Identifier: Apache-2.0
#include "gateway/statuses.h"

#include <gtest/gtest.h>

#include "gateway/attachment.h"

namespace tidegate::gateway {
namespace {

const TimePoint kBefore(std::chrono::seconds(1'700'000'000));
const TimePoint kNow(std::chrono::seconds(1'800'000'000));
constexpr std::string_view kUs = "tidegate.dev/gateway-controller";

api::RouteParentStatus entry(std::string name, std::string_view controller, std::string status,
                             TimePoint at = {}) {
  api::RouteParentStatus out;
  out.parent.name = std::move(name);
  out.controller = controller;
  out.conditions = {{"Accepted", std::move(status), "Reason", "", 1, at}};
  return out;
}

TEST(MergeRouteStatus, KeepsOthersPlacesAndTimes) {
  const api::RouteStatus current{
      {entry("stale", kUs, "True", kBefore), entry("theirs", "example.com/x", "True", kBefore),
       entry("same", kUs, "True", kBefore), entry("turned", kUs, "True", kBefore)}};
  const api::RouteStatus wanted{
      {entry("fresh", kUs, "True"), entry("turned", kUs, "False"), entry("same", kUs, "True")}};
  const auto merged = merge_status(current, wanted, kUs, kNow);
  ASSERT_EQ(merged.parents.size(), 4U);
  EXPECT_EQ(merged.parents[0], current.parents[1]);
  EXPECT_EQ(merged.parents[1], entry("same", kUs, "True", kBefore));
  EXPECT_EQ(merged.parents[2], entry("turned", kUs, "False", kNow));
  EXPECT_EQ(merged.parents[3], entry("fresh", kUs, "True", kNow));
  EXPECT_EQ(merge_status(merged, wanted, kUs, kNow + std::chrono::hours(1)), merged)
      << "nothing more to write";
}

TEST(MergeGatewayStatus, FollowsListenersByName) {
  const api::Condition old{"Accepted", "True", "Accepted", "", 1, kBefore};
  const api::Condition now{"Accepted", "True", "Accepted", "", 2, {}};
  const api::GatewayStatus current{{}, {old}, {{"a", {}, 1, {old}}, {"b", {}, 1, {old}}}};
  const api::GatewayStatus wanted{{}, {now}, {{"b", {}, 2, {now}}, {"c", {}, 0, {now}}}};
  const auto merged = merge_status(current, wanted, kUs, kNow);
  EXPECT_EQ(merged.conditions[0].last_transition, kBefore);
  ASSERT_EQ(merged.listeners.size(), 2U);
  EXPECT_EQ(merged.listeners[0].conditions[0].last_transition, kBefore);
  EXPECT_EQ(merged.listeners[0].attached_routes, 2);
  EXPECT_EQ(merged.listeners[1].conditions[0].last_transition, kNow);
}

TEST(Messages, NameAFewProblemsAndEachEffectOnce) {
  std::vector<Problem> problems(10,
                                {"HTTPRoute", {"a", "b"}, "", "spec.x", Reason::kBackendNotFound, "gone"});
  std::vector<const Problem*> pointers;
  for (const auto& problem : problems) pointers.push_back(&problem);
  const std::string text = message(pointers);
  EXPECT_NE(text.find("and 2 more"), text.npos) << text;
  EXPECT_EQ(text.find("500"), text.rfind("500")) << text;
}

TEST(Messages, CutLongValues) { EXPECT_LT(shown(std::string(10'000, 'x')).size(), 300U); }

TEST(Reasons, EachHasItsRow) {
  for (int i = 0; i <= static_cast<int>(Reason::kUnreachableHostname); ++i)
    EXPECT_FALSE(row(static_cast<Reason>(i)).effect.empty());
}

TEST(Hostnames, Intersect) {
  struct Case {
    const char *a, *b;
    std::optional<std::string> common;
  };
  for (const auto& [a, b, common] :
       {Case{"", "", ""}, Case{"", "a.b", "a.b"}, Case{"a.b", "a.b", "a.b"}, Case{"*.b.c", "a.b.c", "a.b.c"},
        Case{"*.b.c", "x.a.b.c", "x.a.b.c"}, Case{"*.b.c", "b.c", std::nullopt},
        Case{"*.b.c", "xb.c", std::nullopt}, Case{"*.c", "*.b.c", "*.b.c"},
        Case{"*.b.c", "*.xb.c", std::nullopt}, Case{"a.b", "a.c", std::nullopt}}) {
    EXPECT_EQ(intersect_hostnames(a, b), common) << a << " " << b;
    EXPECT_EQ(intersect_hostnames(b, a), common) << b << " " << a;
  }
}

}  // namespace
}  // namespace tidegate::gateway
