// SPDX-License-Identifier: Apache-2.0
#include "analysis/job.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidegate::analysis {
namespace {

using metrics::Outcome;

Json job(const std::string& status) {
  return {{"metadata", {{"name", "smoke"}}}, {"status", Json::parse(status)}};
}

TEST(Job, PassesFailsOrProvesNothing) {
  const struct {
    const char* status;
    std::optional<Outcome> outcome;
  } cases[] = {
      {R"({})", std::nullopt},
      {R"({"active": 1, "ready": 1})", std::nullopt},
      {R"({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]})", Outcome::kSuccessful},
      {R"({"failed": 1, "conditions": [{"type": "Failed", "status": "True"}]})", Outcome::kFailed},
      // No pod ever ran: its image could not be pulled, or there was no room.
      {R"({"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]})",
       Outcome::kInconclusive},
      {R"({"conditions": [{"type": "Failed", "status": "False"}]})", std::nullopt},
  };
  for (const auto& c : cases) {
    const auto sample = judge_job(job(c.status));
    EXPECT_EQ(sample ? sample->verdict : std::nullopt, c.outcome) << c.status;
  }
}

TEST(Job, IsNamedByItsMeasurementOwnedAndBounded) {
  const Measure measure{"id-1", "step-2", "Smoke Test", {}};
  const Json spec = Json::parse(R"({"metadata": {"labels": {"team": "shop"}}, "spec": {"backoffLimit": 0}})");
  const Json one = job_document("team", {"v1", "Rollout", "shop", "uid-1", true}, measure, spec);
  EXPECT_EQ(json::string_at(one, "metadata.name").rfind("shop-smoketest-", 0), 0u) << json::dump(one);
  EXPECT_EQ(json::string_at(one, "metadata.labels.team"), "shop");
  EXPECT_EQ(json::string_at(one, "/metadata/ownerReferences/0/uid"), "uid-1");
  EXPECT_EQ(json::int_at(one, "spec.activeDeadlineSeconds"), 600);
  EXPECT_EQ(json::int_at(one, "spec.backoffLimit"), 0);

  const Json again = job_document("team", {"v1", "Rollout", "shop", "uid-1", true}, measure, spec);
  EXPECT_EQ(one, again) << "after a crash the same Job has to be found";
  const Measure later{"id-2", "step-2", "Smoke Test", {}};
  const Json other = job_document("team", {"v1", "Rollout", "shop", "uid-1", true}, later, spec);
  EXPECT_NE(json::string_at(one, "metadata.name"), json::string_at(other, "metadata.name"));
}

}  // namespace
}  // namespace tidegate::analysis
