// SPDX-License-Identifier: Apache-2.0
#include "analysis/controller.h"

#include <nlohmann/json.hpp>

#include "analysis/prober.h"
#include "analysis/record.h"
#include "analysis/resolve.h"
#include "base/log.h"
#include "kube/reflector.h"
#include "kube/workqueue.h"

namespace tidegate::analysis {
namespace {

using RunPtr = std::shared_ptr<const api::AnalysisRun>;

// What one look at a run comes to.
struct Next {
  api::AnalysisRunStatus status;
  std::string message;
  std::vector<api::Metric> metrics;
  std::vector<Measure> due;
  std::optional<TimePoint> look_again;
};

Resolved metrics_of(const api::AnalysisRun& run, const Templates& templates) {
  Resolved out;
  if (run.analysis.templated) {
    const Context context{run.json.get(), "", "", {{"namespace", run.meta.ns}}};
    out = resolve(run.analysis, templates, context);
  } else {
    out.metrics = run.analysis.metrics;
    for (const auto& metric : out.metrics) check_metric(metric, "spec metric " + metric.name, out.problems);
  }
  out.problems.insert(out.problems.begin(), run.problems.begin(), run.problems.end());
  for (const auto& metric : out.metrics) {
    if (metric.provider.reads_counts())
      out.problems.push_back({"spec metric " + metric.name + " provider", "gateway",
                              "another provider: only the analysis of a Rollout has the gateway's counts"});
  }
  return out;
}

// Pure: the same function of the same input as in a Rollout.
Next look(const api::AnalysisRun& run, const Templates& templates, const Samples& samples, TimePoint now) {
  Next next{run.status, "", {}, {}, {}};
  auto resolved = metrics_of(run, templates);
  next.metrics = std::move(resolved.metrics);
  if (next.status.phase.empty())
    next.status = start_run(run.meta.name, api::kStandAloneRun, next.metrics, now);
  if (run.terminate) {
    next.status.phase = kEnded;
    next.message = "terminated";
  } else if (!resolved.problems.empty()) {
    next.status.phase = metrics::to_string(metrics::Phase::kError);
    next.message = to_string(resolved.problems);
  } else {
    const Traffic none;
    const Inputs inputs{now, none, samples, std::nullopt};
    auto result = advance_run(next.metrics, next.status, inputs);
    next.message = std::move(result.evidence);
    next.due = std::move(result.due);
    next.look_again = result.next_at;
  }
  return next;
}

}  // namespace

struct Controller::State {
  State(kube::Client& client, metrics::providers::Fetch& fetch)
      : client(client),
        prober(client, fetch, [this](const api::Key& owner) { queue.add(owner); }),
        queue(client.io(), client.scheduler(), {"analysisrun", kParallel},
              [this](api::Key key) { return reconcile(*this, std::move(key)); }) {}

  void start();
  Templates templates_for(const std::string& ns) const;
  static Task<kube::ReconcileResult> reconcile(State& state, api::Key key);
  static Task<kube::ReconcileResult> clean_up(State& state, RunPtr run);

  static constexpr std::size_t kParallel = 4;
  kube::Client& client;
  kube::Store<api::AnalysisRun> runs{api::decode_analysis_run};
  kube::Store<api::Object> templates{[](const Json& json) { return api::make_object(json); }};
  kube::Store<api::Object> cluster_templates{[](const Json& json) { return api::make_object(json); }};
  Prober prober;
  kube::WorkQueue queue;  // its reconciles use all of the above
  std::vector<std::unique_ptr<kube::Reflector>> reflectors;
};

void Controller::State::start() {
  runs.on_change([this](const auto& old, const auto& now) {
    const auto& run = now ? *now : *old;
    if (!run.of_rollout()) queue.add(run.meta.key());
  });
  const auto watch = [this](const api::Resource& resource, kube::Sink& sink) {
    reflectors.push_back(
        std::make_unique<kube::Reflector>(client, resource, kube::ListOptions{}, sink, [this] {
          if (runs.synced() && templates.synced() && cluster_templates.synced()) queue.start();
        }));
  };
  watch(api::kAnalysisRuns, runs);
  watch(api::kAnalysisTemplates, templates);
  watch(api::kClusterAnalysisTemplates, cluster_templates);
}

Templates Controller::State::templates_for(const std::string& ns) const {
  Templates out;
  for (const auto& [key, object] : templates.all()) {
    if (key.ns == ns) out.of_namespace[key.name] = object->json;
  }
  for (const auto& [key, object] : cluster_templates.all()) out.of_cluster[key.name] = object->json;
  return out;
}

Task<kube::ReconcileResult> Controller::State::clean_up(State& state, RunPtr run) {
  const bool passed = phase_of(run->status.phase) == metrics::Phase::kSuccessful;
  const auto kept = passed ? run->kept_after_success : run->kept_after_failure;
  if (!kept || !run->completed_at) co_return kube::Requeue{};
  const TimePoint end = *run->completed_at + *kept;
  const TimePoint now = state.client.scheduler().clock().now();
  if (now < end) co_return kube::Requeue{end - now};
  const std::string propagation = "Background";
  auto removed = co_await state.client.remove(api::kAnalysisRuns, run->meta.key(), propagation);
  if (!removed && removed.error().code != ErrorCode::kNotFound) co_return removed.error();
  co_return kube::Requeue{};
}

Task<kube::ReconcileResult> Controller::State::reconcile(State& state, api::Key key) {
  const RunPtr run = state.runs.get(key);
  if (!run || run->meta.deleted || run->of_rollout() || is_over(run->status.phase)) {
    state.prober.forget(key);
    if (!run || run->meta.deleted || run->of_rollout()) co_return kube::Requeue{};
    co_return co_await clean_up(state, run);
  }
  const TimePoint now = state.client.scheduler().clock().now();
  const Next next = look(*run, state.templates_for(key.ns), state.prober.samples(key), now);
  const Json before = json::object_at(*run->json, "status");
  Json status = run_status(next.status, next.metrics, next.message, before, now);
  if (status != before) {
    Json document = *run->json;
    document["status"] = std::move(status);
    auto written = co_await state.client.update_status(api::kAnalysisRuns, std::move(document));
    if (!written) co_return written.error();
    state.runs.put_written(run, std::move(*written));
  }
  if (is_over(next.status.phase)) {
    log::info("analysis run",
              {{"run", to_string(key)}, {"phase", next.status.phase}, {"message", next.message}});
  }
  const Prober::Owner owner{key.ns,
                            {api::kAnalysisRuns.api_version(), std::string(api::kAnalysisRuns.kind), key.name,
                             run->meta.uid, true}};
  state.prober.want(owner, next.due);
  std::optional<Duration> again;
  if (next.look_again) again = std::max(Duration(1), *next.look_again - now);
  co_return kube::Requeue{again};
}

Controller::Controller(kube::Client& client, metrics::providers::Fetch& fetch)
    : state_(std::make_shared<State>(client, fetch)) {}
Controller::~Controller() = default;

void Controller::start() { state_->start(); }

}  // namespace tidegate::analysis
