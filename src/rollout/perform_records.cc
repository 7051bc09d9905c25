// SPDX-License-Identifier: Apache-2.0
#include "rollout/perform_records.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/record.h"
#include "base/log.h"
#include "base/text.h"
#include "rollout/limits.h"

namespace tidegate::rollout {
namespace {

Json new_record(const api::Rollout& rollout, const std::string& name, const std::string& revision,
                const api::AnalysisRunStatus& run, const std::vector<api::Metric>& metrics) {
  const api::OwnerReference owner{api::kRollouts.api_version(), std::string(api::kRollouts.kind),
                                  rollout.meta.name, rollout.meta.uid, true};
  return {{"apiVersion", api::kAnalysisRuns.api_version()},
          {"kind", api::kAnalysisRuns.kind},
          {"metadata",
           {{"name", name},
            {"namespace", rollout.meta.ns},
            {"labels",
             {{"app.kubernetes.io/managed-by", "tidegate"},
              {api::kRolloutLabel, rollout.meta.name},
              {api::kRevisionLabel, revision},
              {api::kRunTypeLabel, run.name}}},
            {"ownerReferences", Json::array({api::to_json(owner)})}}},
          {"spec", analysis::run_spec(metrics)}};
}

// Good news of a metric that is measured each second can wait; a change of any kind can't.
bool says_enough(const api::AnalysisRunStatus& before, const api::AnalysisRunStatus& run) {
  if (before.phase != run.phase || before.metrics.size() != run.metrics.size()) return false;
  for (std::size_t i = 0; i < run.metrics.size(); ++i) {
    const auto& then = before.metrics[i];
    const auto& now = run.metrics[i];
    if (then.phase != now.phase || then.outcome != now.outcome ||
        then.count - then.successful != now.count - now.successful)
      return false;
    if (now.measured_at && (!then.measured_at || *now.measured_at - *then.measured_at >= kRecordEvery))
      return false;
  }
  return true;
}

bool of_rollout(const api::AnalysisRun& run, const api::Rollout& rollout) {
  return std::any_of(run.meta.owners.begin(), run.meta.owners.end(),
                     [&](const auto& owner) { return owner.uid == rollout.meta.uid; });
}

// What its rollout no longer knows of was ended by the next one.
std::optional<Json> ended(const api::AnalysisRun& run, TimePoint now) {
  if (analysis::is_over(run.status.phase)) return std::nullopt;
  Json document = *run.json;
  document["status"]["phase"] = analysis::kEnded;
  document["status"]["completedAt"] = text::format_micro_time(now);
  return document;
}

Task<void> write(kube::Client& client, Cluster& cluster, Json document) {
  const std::string name = json::string_at(document, "metadata.name");
  const api::Key key{json::string_at(document, "metadata.namespace"), name};
  const auto before = cluster.runs.get(key);
  const Json status = json::object_at(document, "status");
  if (json::string_at(document, "metadata.resourceVersion").empty()) {
    auto created = co_await client.create(api::kAnalysisRuns, document);
    if (!created) {
      log::warning("analysis run was not recorded", {{"run", name}, {"error", created.error().detail}});
      co_return;
    }
    document = std::move(*created);
    document["status"] = status;
  }
  auto written = co_await client.update_status(api::kAnalysisRuns, std::move(document));
  if (written) {
    cluster.runs.put_written(before, std::move(*written));
  } else if (written.error().code != ErrorCode::kConflict) {
    log::warning("analysis run was not recorded", {{"run", name}, {"error", written.error().detail}});
  }
}

}  // namespace

std::string record_name(const api::Rollout& rollout, const std::string& revision,
                        const api::AnalysisRunStatus& run) {
  return rollout.meta.name + "-" + revision + "-" + run.name + "-" +
         text::safe_hash(text::format_micro_time(run.started_at)).substr(0, kRecordSuffix);
}

std::optional<Json> record_of(const api::Rollout& rollout, const Decision& decision,
                              const api::AnalysisRunStatus& run, const api::AnalysisRun* before,
                              TimePoint now) {
  if (before && says_enough(before->status, run)) return std::nullopt;
  static const std::vector<api::Metric> kNone;
  const auto found = decision.metrics.find(run.step);
  const auto& metrics = found == decision.metrics.end() ? kNone : found->second;
  if (!before && metrics.empty()) return std::nullopt;  // it ended before it could be recorded
  const std::string& revision =
      decision.next.canary_revision.empty() ? decision.next.stable_revision : decision.next.canary_revision;
  Json document = before ? *before->json
                         : new_record(rollout, record_name(rollout, revision, run), revision, run, metrics);
  document["status"] =
      analysis::run_status(run, metrics, analysis::message_of(run), json::object_at(document, "status"), now);
  return document;
}

std::vector<std::string> outlived(const api::Rollout& rollout, const std::vector<std::string>& current,
                                  const Cluster& cluster) {
  std::vector<const api::AnalysisRun*> passed, others;
  each_in(cluster.runs, rollout.meta.ns, [&](const api::AnalysisRun& run) {
    if (!of_rollout(run, rollout) || !analysis::is_over(run.status.phase)) return;
    if (std::find(current.begin(), current.end(), run.meta.name) != current.end()) return;
    (run.status.phase == "Successful" ? passed : others).push_back(&run);
  });
  std::vector<std::string> out;
  const auto cut = [&](std::vector<const api::AnalysisRun*>& runs, std::int64_t limit) {
    std::sort(runs.begin(), runs.end(),
              [](const auto* a, const auto* b) { return a->status.started_at > b->status.started_at; });
    for (std::size_t i = static_cast<std::size_t>(limit); i < runs.size(); ++i)
      out.push_back(runs[i]->meta.name);
  };
  cut(passed, rollout.spec.successful_run_history_limit);
  cut(others, rollout.spec.unsuccessful_run_history_limit);
  return out;
}

Task<void> record_runs(kube::Client& client, Cluster& cluster, std::shared_ptr<const api::Rollout> rollout,
                       const Decision& decision, TimePoint now) {
  const std::string revision =
      decision.next.canary_revision.empty() ? decision.next.stable_revision : decision.next.canary_revision;
  std::vector<std::string> current;
  std::vector<Json> documents;
  for (const auto& run : decision.next.analysis_runs) {
    current.push_back(record_name(*rollout, revision, run));
    const auto before = cluster.runs.get({rollout->meta.ns, current.back()});
    if (auto document = record_of(*rollout, decision, run, before.get(), now))
      documents.push_back(std::move(*document));
  }
  each_in(cluster.runs, rollout->meta.ns, [&](const api::AnalysisRun& run) {
    const bool known = std::find(current.begin(), current.end(), run.meta.name) != current.end();
    if (known || !of_rollout(run, *rollout)) return;
    if (auto document = ended(run, now)) documents.push_back(std::move(*document));
  });
  const auto old = outlived(*rollout, current, cluster);
  for (auto& document : documents) co_await write(client, cluster, std::move(document));
  for (const auto& name : old) {
    const api::Key key{rollout->meta.ns, name};
    const std::string propagation = "Background";
    (void)co_await client.remove(api::kAnalysisRuns, key, propagation);
  }
}

}  // namespace tidegate::rollout
