// SPDX-License-Identifier: Apache-2.0
#include "api/rollout.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/yaml.h"

namespace tidegate::api {
namespace {

Json parse(const std::string& text) { return yaml::parse_all(text).value().front().value; }

constexpr const char* kValid = R"(
metadata: {name: shop, namespace: team}
spec:
  template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: shop}]}}
  strategy:
    canary:
      stableService: shop-stable
      canaryService: shop-canary
      trafficRouting: {routes: [{name: shop}]}
      steps: [{setWeight: 5}, {pause: {duration: 5m, minRequests: 500}}, {setWeight: 0.5}, {pause: {}}]
)";

// The problem that a field makes when it is set to `value`, or "" if there is none. `path` is a JSON pointer
// below spec.
std::string problem_with(const std::string& path, const std::string& value) {
  Json rollout = parse(kValid);
  rollout["spec"][Json::json_pointer(path)] = parse("x: " + value)["x"];
  return to_string(decode_rollout(rollout).problems);
}

TEST(Rollout, ReadsAValidOne) {
  const Rollout rollout = decode_rollout(parse(kValid));
  EXPECT_EQ(to_string(rollout.problems), "");
  ASSERT_EQ(rollout.spec.canary.steps.size(), 4u);
  EXPECT_EQ(describe(rollout.spec.canary.steps[1]), "pause 5m and 500 requests");
  EXPECT_EQ(describe(rollout.spec.canary.steps[2]), "setWeight 0.5");
  EXPECT_EQ(describe(rollout.spec.canary.steps[3]), "pause until promoted");
  EXPECT_EQ(rollout.spec.replicas, 1);
}

TEST(Rollout, NamesFieldValueAndExpectation) {
  const struct {
    const char *path, *value, *problem;
  } cases[] = {
      {"/strategy/canary/steps/0/setWeight", "120",
       "spec.strategy.canary.steps[0].setWeight is 120: expected a number from 0 to 100"},
      {"/strategy/canary/steps/0/setWeight", "-1",
       "spec.strategy.canary.steps[0].setWeight is -1: expected a number from 0 to 100"},
      {"/strategy/canary/steps/1/pause/duration", "soon",
       "spec.strategy.canary.steps[1].pause.duration is \"soon\": expected a duration such as \"30s\" or "
       "\"5m\", or whole "
       "seconds"},
      {"/strategy/canary/steps/0",
       "{experiment: {duration: 1m, templates: [{name: a, specRef: stable, weight: 60}, {name: b, specRef: "
       "canary, weight: 50}]}}",
       "spec.strategy.canary.steps[0].experiment.templates is "
       "[{\"name\":\"a\",\"specRef\":\"stable\",\"weight\":60},{"
       "\"name\":\"b\",\"sp...: expected weights that are, with the canary's 0 %, at most 100 % together"},
      {"/strategy/canary/steps/0",
       "{experiment: {templates: [{name: a, specRef: old}, {name: a, specRef: stable}]}}",
       "spec.strategy.canary.steps[0].experiment.templates[0].specRef is \"old\": expected stable or canary; "
       "spec.strategy.canary.steps[0].experiment.templates[1].name is \"a\": expected a name that no other "
       "template of the step has; "
       "spec.strategy.canary.steps[0].experiment.duration is missing: expected a duration, an analysis or "
       "both: when it is over"},
      {"/strategy/canary/steps/0", "{plugin: {}}",
       "spec.strategy.canary.steps[0].plugin is {}: expected another kind of step: this one is not "
       "supported yet"},
      {"/strategy/canary/canaryService", "shop-stable",
       "spec.strategy.canary.canaryService is \"shop-stable\": expected another Service than stableService"},
      {"/strategy/canary/stableService", "null",
       "spec.strategy.canary.stableService is missing: expected the name of a Service"},
      {"/strategy/canary/trafficRouting", "{}",
       "spec.strategy.canary.trafficRouting.routes is missing: expected the route that the "
       "steps drive"},
      {"/strategy/blueGreen", "{}", "spec.strategy.blueGreen is {}: expected nothing here beside canary"},
      {"/replicas", "many", "spec.replicas is \"many\": expected an integer from 0 to 100000"},
      {"/template", "null", "spec.template is missing: expected a pod template"},
  };
  for (const auto& c : cases) EXPECT_EQ(problem_with(c.path, c.value), c.problem);
}

TEST(Rollout, HasOneFormOfWorkload) {
  EXPECT_NE(
      problem_with("/workloadRef", "{name: shop}").find("expected nothing here beside spec.workloadRef"),
      std::string::npos);
  EXPECT_NE(problem_with("/services", "{slots: [a, b], revision: '1'}")
                .find("spec.strategy.canary.stableService is \"shop-stable\": expected nothing here"),
            std::string::npos);
}

TEST(Rollout, AMetricNeedsSomethingToBeJudgedBy) {
  const std::string base = "{metrics: [{name: a, provider: {gateway: {metric: success-rate}}";
  EXPECT_EQ(problem_with("/strategy/canary/analysis", base + ", successCondition: 'result[0] > 0.9'}]}"), "");
  EXPECT_NE(problem_with("/strategy/canary/analysis", base + "}]}").find("without one nothing is judged"),
            std::string::npos);
  EXPECT_NE(problem_with("/strategy/canary/analysis", base + ", threshold: {min: 990}}]}")
                .find("threshold.min is 990"),
            std::string::npos);
}

TEST(Rollout, HeaderRoutesSayWhatIsWrongWithThem) {
  const struct {
    const char* step;
    const char* problem;
  } cases[] = {
      {R"({"name": "T_1", "match": [{"headerName": "x", "headerValue": {"exact": "1"}}]})",
       "spec.strategy.canary.steps[0].setHeaderRoute.name is \"T_1\": expected a name of lower case letters, "
       "digits and dashes"},
      {R"({"name": "t", "match": [{"headerName": "a b", "headerValue": {"exact": "1"}}]})",
       "spec.strategy.canary.steps[0].setHeaderRoute.match[0].headerName is \"a b\": expected the name of a "
       "header"},
      {R"({"name": "t", "match": [{"headerName": "x", "headerValue": {"exact": "1", "regex": "2"}}]})",
       "spec.strategy.canary.steps[0].setHeaderRoute.match[0].headerValue is "
       "{\"exact\":\"1\",\"regex\":\"2\"}: "
       "expected exactly one of exact, prefix and regex"},
      {R"({"name": "t", "match": [{"headerName": "x", "headerValue": {"exact": "1"}},
                                  {"headerName": "X", "headerValue": {"exact": "2"}}]})",
       "spec.strategy.canary.steps[0].setHeaderRoute.match[1].headerName is \"X\": expected a header that is "
       "not "
       "listed before: all entries have to hold at once"},
      {R"({"name": "t"})",
       "spec.strategy.canary.steps[0].setHeaderRoute.match is missing: expected a value, or a step before it "
       "that "
       "sets what this one removes"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(problem_with("/strategy/canary/steps/0", std::string(R"({"setHeaderRoute": )") + c.step + "}"),
              c.problem);
  }
}

TEST(Rollout, IsTotal) {
  for (const auto* text :
       {"{}", "{spec: 5}", "{spec: {strategy: []}}", "{spec: {strategy: {canary: {steps: {}}}}}",
        "{spec: {strategy: {canary: {steps: [5, null, [], {setWeight: null}]}}}}",
        "{spec: {template: [], strategy: {canary: {analysis: {metrics: [1]}}}}, status: [1]}"}) {
    EXPECT_FALSE(decode_rollout(parse(text)).problems.empty()) << text;
  }
}

TEST(RolloutStatus, SurvivesItsJsonForm) {
  const TimePoint at{std::chrono::milliseconds(1'800'000'000'123)};
  RolloutStatus status;
  status.phase = "Paused";
  status.stage = Stage::kPromoting;
  status.stable_revision = "a";
  status.canary_revision = "b";
  status.current_step_index = 3;
  status.step_started_at = at;
  status.step_mark = TrafficMark{at, {10, 1, {}}, {5, 2, {1, 2}}};
  status.weights = {0.5, true, 0.4, at, TrafficMark{at, {}, {}}};
  status.abort = AbortStatus{at, "me", "odd"};
  status.promote_full = true;
  status.pause_conditions = {{"PauseStep", at, "waits"}};
  status.repairs = {at};
  status.handled = {{"tidegate.dev/promote", "step"}};
  status.scale_down_at = {{"a", at}};
  status.history = {{"a", "Promoted", at, at, 7, "all steps passed"}};
  MetricStatus metric{"m", "Running", "fine",   true, 7, 2, 1, 1, 3, 3, 2, 0.25, 4, TrafficMark{at, {}, {}},
                      at,  at,        "Failed", "0.5"};
  status.analysis_runs = {{"background", "Running", -1, at, {metric}}};
  EXPECT_TRUE(decode_rollout_status(encode_rollout_status(status)) == status);
  EXPECT_TRUE(decode_rollout_status(encode_rollout_status({})) == RolloutStatus{});
}

}  // namespace
}  // namespace tidegate::api
