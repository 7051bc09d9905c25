// SPDX-License-Identifier: Apache-2.0
#include "local/job_plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::local {
namespace {

using namespace std::chrono_literals;

const TimePoint kNow(std::chrono::seconds(1'800'000'000));

Json job(const char* spec, const char* status = "{}") {
  return {{"metadata", {{"name", "check"}, {"uid", "u1"}}},
          {"spec", Json::parse(spec)},
          {"status", Json::parse(status)}};
}

PodObject pod(const std::string& name, const char* phase, int restarts = 0, Duration ended_ago = 60s) {
  const Json json = {
      {"metadata", {{"name", name}, {"creationTimestamp", text::format_time(kNow - 120s)}}},
      {"status",
       {{"phase", phase},
        {"containerStatuses",
         Json::array(
             {{{"restartCount", restarts},
               {"state", {{"terminated", {{"finishedAt", text::format_time(kNow - ended_ago)}}}}}}})}}}};
  return decode_pod_object(json);
}

JobPlan plan(const Json& job, const std::vector<PodObject>& pods) {
  std::vector<const PodObject*> pointers;
  for (const auto& one : pods) pointers.push_back(&one);
  return plan_job(job, pointers, kNow);
}

std::string condition(const JobPlan& plan) {
  if (plan.status.conditions.empty()) return "";
  return plan.status.conditions[0].type + " " + plan.status.conditions[0].reason;
}

TEST(JobPlan, OnePodToStartWith) {
  const auto first = plan(job("{}"), {});
  ASSERT_EQ(first.create.size(), 1u);
  EXPECT_EQ(first.create[0].rfind("check-", 0), 0u);
  EXPECT_EQ(first.status.started, kNow);
  EXPECT_EQ(plan(job("{}"), {}).create, first.create) << "another look makes no other pod";
  EXPECT_TRUE(plan(job("{}"), {pod(first.create[0], "Running")}).create.empty());
}

TEST(JobPlan, AsManyAtATimeAsAskedForAndNoMoreThanAreMissing) {
  const Json three = job("{\"completions\": 3, \"parallelism\": 2}");
  EXPECT_EQ(plan(three, {}).create.size(), 2u);
  EXPECT_EQ(plan(three, {pod("a", "Succeeded"), pod("b", "Running")}).create.size(), 1u);
  EXPECT_EQ(plan(three, {pod("a", "Succeeded"), pod("b", "Succeeded"), pod("c", "Running")}).create.size(),
            0u);
}

TEST(JobPlan, EndsAsItsPodsDo) {
  struct Case {
    const char* spec;
    std::vector<PodObject> pods;
    std::string condition;
  };
  const Case cases[] = {
      {"{}", {pod("a", "Succeeded")}, "Complete CompletionsReached"},
      {"{\"completions\": 2}", {pod("a", "Succeeded")}, ""},
      {"{\"parallelism\": 2}", {pod("a", "Succeeded"), pod("b", "Running")}, ""},
      {"{\"parallelism\": 2}", {pod("a", "Succeeded"), pod("b", "Failed")}, "Complete CompletionsReached"},
      {"{\"backoffLimit\": 0}", {pod("a", "Failed")}, "Failed BackoffLimitExceeded"},
      {"{\"backoffLimit\": 1}", {pod("a", "Failed")}, ""},
      {"{\"backoffLimit\": 1}", {pod("a", "Failed"), pod("b", "Failed")}, "Failed BackoffLimitExceeded"},
      {"{\"backoffLimit\": 1}", {pod("a", "Running", 2)}, "Failed BackoffLimitExceeded"},
  };
  for (const auto& c : cases) EXPECT_EQ(condition(plan(job(c.spec), c.pods)), c.condition) << c.spec;
}

TEST(JobPlan, TheNextTryWaits) {
  const auto waits = plan(job("{}"), {pod("a", "Failed", 0, 0s)});
  EXPECT_TRUE(waits.create.empty());
  EXPECT_EQ(waits.recheck, Duration(1s));
  EXPECT_EQ(plan(job("{}"), {pod("a", "Failed", 0, 60s)}).create.size(), 1u);
}

TEST(JobPlan, TheDeadlineEndsPodsAndJob) {
  const char* const status = "{\"startTime\": \"2027-01-15T07:59:50Z\"}";  // 10 s before
  const auto still = plan(job("{\"activeDeadlineSeconds\": 30}", status), {pod("a", "Running")});
  EXPECT_EQ(condition(still), "");
  EXPECT_EQ(still.recheck, Duration(20s));
  const auto over = plan(job("{\"activeDeadlineSeconds\": 10}", status), {pod("a", "Running")});
  EXPECT_EQ(condition(over), "Failed DeadlineExceeded");
  EXPECT_EQ(over.remove, std::vector<std::string>{"a"});
}

TEST(JobPlan, OneThatHasEndedGoesAfterItsTime) {
  const char* const status =
      R"({"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": "2027-01-15T07:59:50Z"}]})";
  const auto stays = plan(job("{\"ttlSecondsAfterFinished\": 30}", status), {pod("a", "Succeeded")});
  EXPECT_FALSE(stays.expired);
  EXPECT_EQ(stays.recheck, Duration(20s));
  EXPECT_TRUE(plan(job("{\"ttlSecondsAfterFinished\": 10}", status), {pod("a", "Succeeded")}).expired);
  EXPECT_FALSE(plan(job("{}", status), {pod("a", "Succeeded")}).recheck.has_value());
}

TEST(JobPlan, ASuspendedOneHasNoPods) {
  const auto suspended = plan(job("{\"suspend\": true}"), {pod("a", "Running")});
  EXPECT_EQ(suspended.remove, std::vector<std::string>{"a"});
  EXPECT_TRUE(suspended.create.empty());
}

}  // namespace
}  // namespace tidegate::local
