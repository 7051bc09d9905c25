// SPDX-License-Identifier: Apache-2.0
#include "analysis/job.h"

#include <nlohmann/json.hpp>

#include "analysis/limits.h"
#include "api/condition.h"
#include "base/text.h"

namespace tidegate::analysis {
namespace {

using metrics::Outcome;

Sample inconclusive(std::string text) { return {{}, Outcome::kInconclusive, std::move(text)}; }

// A pod of it has run, however that ended.
bool ever_ran(const Json& job) {
  return json::int_at(job, "status.ready") > 0 || json::int_at(job, "status.failed") > 0 ||
         json::int_at(job, "status.succeeded") > 0;
}

std::string name_of(const Json& job) { return "Job " + json::string_at(job, "metadata.name"); }

Sample not_created(const Json& document, const Error& error) {
  const bool may_come = error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout;
  return {{},
          may_come ? Outcome::kError : Outcome::kInconclusive,
          name_of(document) + " could not be created: " + error.detail};
}

}  // namespace

Json job_document(const std::string& ns, const api::OwnerReference& owner, const Measure& measure,
                  const Json& spec) {
  std::string prefix = owner.name + "-" + text::lower(measure.metric);
  std::erase_if(prefix, [](char c) { return !(std::isalnum(static_cast<unsigned char>(c)) || c == '-'); });
  Json out = {{"apiVersion", api::kJobs.api_version()},
              {"kind", api::kJobs.kind},
              {"metadata", json::object_at(spec, "metadata")},
              {"spec", json::object_at(spec, "spec")}};
  auto& meta = out["metadata"];
  meta["name"] = prefix.substr(0, kMaxJobPrefix) + "-" + text::safe_hash(measure.id);
  meta["namespace"] = ns;
  meta["ownerReferences"] = Json::array({api::to_json(owner)});
  meta["labels"]["app.kubernetes.io/managed-by"] = "tidegate";
  auto& job = out["spec"];
  if (!job.contains("activeDeadlineSeconds"))
    job["activeDeadlineSeconds"] = std::chrono::duration_cast<std::chrono::seconds>(kJobDeadline).count();
  if (!job.contains("ttlSecondsAfterFinished"))
    job["ttlSecondsAfterFinished"] = std::chrono::duration_cast<std::chrono::seconds>(kJobKept).count();
  return out;
}

std::optional<Sample> judge_job(const Json& job) {
  const auto conditions = api::decode_conditions(json::array_at(job, "status.conditions"));
  const auto* complete = api::find_condition(conditions, "Complete");
  if (complete && complete->status == "True")
    return Sample{{}, Outcome::kSuccessful, name_of(job) + " succeeded"};
  const auto* failed = api::find_condition(conditions, "Failed");
  if (!failed || failed->status != "True") return std::nullopt;
  if (!ever_ran(job)) return inconclusive(name_of(job) + ": no pod of it ever ran: " + failed->message);
  return Sample{{}, Outcome::kFailed, name_of(job) + " failed: " + failed->reason + " " + failed->message};
}

Task<Sample> run_job(kube::Client& client, Json document, std::function<bool()> wanted) {
  const api::Key key{json::string_at(document, "metadata.namespace"),
                     json::string_at(document, "metadata.name")};
  const TimePoint deadline = client.scheduler().clock().now() + kJobGrace +
                             std::chrono::seconds(json::int_at(document, "spec.activeDeadlineSeconds"));
  auto created = co_await client.create(api::kJobs, document);
  if (!created && created.error().code != ErrorCode::kConflict)
    co_return not_created(document, created.error());
  bool ran = false;
  while (client.scheduler().clock().now() < deadline) {
    const Duration pause = kJobPoll;
    co_await net::sleep_for(client.scheduler(), pause);
    if (!wanted()) {
      const std::string propagation = "Background";
      (void)co_await client.remove(api::kJobs, key, propagation);
      co_return inconclusive("no longer wanted");
    }
    auto job = co_await client.get(api::kJobs, key);
    if (!job && job.error().code == ErrorCode::kNotFound)
      co_return inconclusive(name_of(document) + " was deleted");
    if (!job) continue;  // the API is away for now
    ran = ran || ever_ran(*job);
    if (auto sample = judge_job(*job)) co_return std::move(*sample);
  }
  co_return inconclusive(name_of(document) +
                         (ran ? " did not end in time" : ": no pod of it became ready in time"));
}

}  // namespace tidegate::analysis
