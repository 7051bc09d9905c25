// SPDX-License-Identifier: Apache-2.0
#include "rollout/analysis.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "metrics/gateway_provider.h"
#include "metrics/sequential.h"
#include "rollout/lifecycle.h"
#include "rollout/limits.h"

namespace tidegate::rollout {
namespace {

using metrics::Outcome;

struct Window {
  metrics::BackendTraffic stable, canary;
  double seconds = 0;
};

struct Measured {
  Outcome outcome;
  std::string evidence;
};

double read(const api::GatewayProvider& provider, const Window& window) {
  switch (provider.metric) {
    case api::GatewayMetric::kSuccessRate:
      return metrics::success_rate(window.canary);
    case api::GatewayMetric::kLatency:
      return metrics::latency_quantile(window.canary, provider.quantile);
    case api::GatewayMetric::kRequestRate:
      return metrics::request_rate(window.canary, window.seconds);
    case api::GatewayMetric::kErrorCount:
      return static_cast<double>(window.canary.failures);
  }
  return std::nan("");
}

std::string value_text(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string read_text(const api::GatewayProvider& provider, double value) {
  switch (provider.metric) {
    case api::GatewayMetric::kSuccessRate:
      return "success-rate " + value_text("%.4g", value);
    case api::GatewayMetric::kLatency:
      return "latency p" + value_text("%.4g", provider.quantile * 100) + " " + value_text("%.4gs", value);
    case api::GatewayMetric::kRequestRate:
      return "request-rate " + value_text("%.4g/s", value);
    case api::GatewayMetric::kErrorCount:
      return "error-count " + value_text("%.0f", value);
  }
  return {};
}

Result<metrics::Criteria> criteria_of(const api::Metric& metric) {
  metrics::Criteria out;
  for (const auto& [text, place] :
       {std::pair{&metric.success_condition, &out.success}, {&metric.failure_condition, &out.failure}}) {
    if (text->empty()) continue;
    auto parsed = metrics::Expression::parse(*text);
    if (!parsed) return parsed.error();
    *place = std::move(*parsed);
  }
  if (metric.threshold) {
    out.min = metric.threshold->min;
    out.max = metric.threshold->max;
  }
  return out;
}

Measured measure_value(const api::Metric& metric, const Window& window) {
  const auto criteria = criteria_of(metric);
  if (!criteria) return {Outcome::kError, criteria.error().detail};
  const double value = read(metric.provider, window);
  // Flagger's ranges count in percent.
  const bool percent = metric.threshold && metric.provider.metric == api::GatewayMetric::kSuccessRate;
  const double judged[] = {percent ? value * 100 : value};
  const auto verdict = metrics::judge(*criteria, judged);
  std::string text = read_text(metric.provider, value) + " (" + figures(window.canary) + ")";
  if (!verdict.why.empty()) {
    text += ": " + verdict.why;
    if (!metric.success_condition.empty() && verdict.outcome == Outcome::kFailed)
      text += ", " + metric.success_condition;
  }
  return {verdict.outcome, std::move(text)};
}

Measured measure_compared(const api::Metric& metric, const Window& window, double earlier) {
  const auto& compare = *metric.compare;
  const metrics::Split split{window.stable.requests, window.stable.failures, window.canary.requests,
                             window.canary.failures};
  const double evidence = earlier + metrics::log_evidence(split, compare.worse_by);
  const double needed = metrics::log_evidence_needed(compare.confidence);
  const bool worse = evidence >= needed;
  std::string text = "canary " + figures(window.canary) + ", stable " + figures(window.stable) +
                     ": evidence e^" + value_text("%.2f", evidence) + " of e^" + value_text("%.2f", needed) +
                     (worse ? ", the canary fails more often" : "");
  return {worse ? Outcome::kFailed : Outcome::kSuccessful, std::move(text)};
}

Outcome without_data(api::NoData policy) {
  switch (policy) {
    case api::NoData::kWait:
    case api::NoData::kPause:
      return Outcome::kNoData;
    case api::NoData::kFail:
      return Outcome::kFailed;
    case api::NoData::kPass:
      return Outcome::kSuccessful;
  }
  return Outcome::kNoData;
}

// One metric of one run.
class Measuring {
 public:
  Measuring(Turn& turn, const api::Metric& metric, api::MetricStatus& status, bool background)
      : turn_(turn), metric_(metric), status_(status), background_(background) {}

  // When it is due next.
  TimePoint step(TimePoint started) {
    const TimePoint now = turn_.seen.now;
    if (now < started + metric_.initial_delay) return started + metric_.initial_delay;
    if (!status_.since) status_.since = mark();
    if (metric_.compare) begin_stretch();
    const TimePoint due = status_.measured_at.value_or(status_.since->at) + metric_.interval;
    if (now < due && !crossed()) return metric_.compare ? std::min(due, now + kTick) : due;
    measure();
    return status_.measured_at && *status_.measured_at == now ? now + metric_.interval : now + kTick;
  }

 private:
  api::TrafficMark mark() const {
    return turn_.mark(metric_.provider.metric == api::GatewayMetric::kLatency);
  }

  Window window() const {
    Window out;
    out.canary = turn_.canary_since(status_.since);
    out.stable = turn_.stable_since(status_.since);
    out.seconds = std::chrono::duration<double>(turn_.seen.now - status_.since->at).count();
    return out;
  }

  // Where the weight changed, the shares did; each stretch is tested by its own share.
  void begin_stretch() {
    const auto& served = turn_.next.weights.verified_at;
    if (!served || *served <= status_.since->at) return;
    status_.log_evidence += log_evidence();
    status_.since = mark();
  }
  double log_evidence() const {
    const Window seen = window();
    return metrics::log_evidence(
        {seen.stable.requests, seen.stable.failures, seen.canary.requests, seen.canary.failures},
        metric_.compare->worse_by);
  }
  // A sequential test may be looked at any time, so it need not wait for its interval to say no.
  bool crossed() const {
    return metric_.compare &&
           status_.log_evidence + log_evidence() >= metrics::log_evidence_needed(metric_.compare->confidence);
  }

  void measure() {
    if (!turn_.seen.traffic.known)
      return finish({Outcome::kError, "no counts: no proxy of Tidegate's serves the route"});
    const Window seen = window();
    const bool rate = metric_.provider.metric == api::GatewayMetric::kRequestRate;
    const auto needed =
        std::max<std::uint64_t>(static_cast<std::uint64_t>(metric_.min_requests), rate ? 0 : 1);
    if (seen.canary.requests < needed && !crossed()) {
      std::string text = std::to_string(seen.canary.requests) + " of " +
                         count_of(static_cast<std::int64_t>(needed), "request") + " needed";
      if (metric_.no_data == api::NoData::kWait) {
        status_.evidence = std::move(text);  // the window stays open
        return;
      }
      return finish({without_data(metric_.no_data), std::move(text)});
    }
    finish(metric_.compare ? measure_compared(metric_, seen, status_.log_evidence)
                           : measure_value(metric_, seen));
  }

  void finish(Measured measured) {
    status_.measured_at = turn_.seen.now;
    if (!metric_.compare) status_.since = mark();
    status_.evidence = std::move(measured.evidence);
    metrics::Tally tally{status_.count,        status_.successful, status_.failed,
                         status_.inconclusive, status_.error,      status_.consecutive_error};
    metrics::add(tally, measured.outcome);
    status_.count = tally.count;
    status_.successful = tally.successful;
    status_.failed = tally.failed;
    status_.inconclusive = tally.inconclusive;
    status_.error = tally.error;
    status_.consecutive_error = tally.consecutive_error;
    metrics::Limits limits{metric_.failure_limit, metric_.inconclusive_limit, metric_.consecutive_error_limit,
                           metric_.count};
    if (!background_ && !limits.count) limits.count = 1 + metric_.failure_limit;
    auto phase = metrics::conclude(limits, tally);
    if (metric_.compare && measured.outcome == Outcome::kFailed) phase = metrics::Phase::kFailed;  // decisive
    status_.phase = metrics::to_string(phase);
  }

  Turn& turn_;
  const api::Metric& metric_;
  api::MetricStatus& status_;
  bool background_;
};

api::AnalysisRunStatus& find_or_start(Turn& turn, const api::Analysis& analysis, std::int64_t step) {
  auto& runs = turn.next.analysis_runs;
  for (auto& run : runs) {
    if (run.step == step) return run;
  }
  api::AnalysisRunStatus run;
  run.name = step == kBackground ? "background" : "step-" + std::to_string(step);
  run.phase = "Running";
  run.step = step;
  run.started_at = turn.seen.now;
  for (const auto& metric : analysis.metrics) {
    api::MetricStatus status;
    status.name = metric.name;
    status.phase = "Running";
    run.metrics.push_back(std::move(status));
  }
  runs.push_back(std::move(run));
  turn.note("AnalysisStarted", runs.back().name + " analysis of " +
                                   count_of(static_cast<std::int64_t>(analysis.metrics.size()), "metric"));
  return runs.back();
}

api::MetricStatus& status_of(api::AnalysisRunStatus& run, const std::string& name) {
  for (auto& status : run.metrics) {
    if (status.name == name) return status;
  }
  run.metrics.emplace_back();  // added to the spec while the run was under way
  run.metrics.back().name = name;
  run.metrics.back().phase = "Running";
  return run.metrics.back();
}

metrics::Phase phase_of(const std::string& text) {
  using metrics::Phase;
  for (const auto phase : {Phase::kSuccessful, Phase::kFailed, Phase::kInconclusive, Phase::kError}) {
    if (text == metrics::to_string(phase)) return phase;
  }
  return Phase::kRunning;
}

// What decides a run, worst first.
int weight_of(metrics::Phase phase) {
  switch (phase) {
    case metrics::Phase::kFailed:
      return 4;
    case metrics::Phase::kError:
      return 3;
    case metrics::Phase::kInconclusive:
      return 2;
    case metrics::Phase::kRunning:
      return 1;
    case metrics::Phase::kSuccessful:
      return 0;
  }
  return 0;
}

}  // namespace

RunResult run_analysis(Turn& turn, const api::Analysis& analysis, std::int64_t step) {
  auto& run = find_or_start(turn, analysis, step);
  RunResult result;
  result.phase = metrics::Phase::kSuccessful;
  for (const auto& metric : analysis.metrics) {
    auto& status = status_of(run, metric.name);
    if (phase_of(status.phase) == metrics::Phase::kRunning) {
      const TimePoint next = Measuring(turn, metric, status, step == kBackground).step(run.started_at);
      if (phase_of(status.phase) == metrics::Phase::kRunning) {
        result.next_at = result.next_at ? std::min(*result.next_at, next) : next;
      }
    }
    const auto phase = phase_of(status.phase);
    if (result.evidence.empty() || weight_of(phase) > weight_of(result.phase)) {
      result.phase = phase;
      result.on_failure = metric.on_failure;
      result.evidence =
          "metric " + metric.name + ": " + (status.evidence.empty() ? "not measured yet" : status.evidence);
    }
  }
  const std::string before = std::exchange(run.phase, metrics::to_string(result.phase));
  if (before != run.phase) {
    const bool passed = result.phase == metrics::Phase::kSuccessful;
    turn.notes.push_back({!passed, "Analysis" + run.phase, run.name + " analysis: " + result.evidence});
  }
  if (result.next_at) turn.wake_at(*result.next_at);
  return result;
}

void watch_canary(Turn& turn) {
  const auto& analysis = turn.canary().analysis;
  if (!analysis || turn.next.promote_full) return;
  const auto& runs = turn.next.analysis_runs;
  const bool started =
      std::any_of(runs.begin(), runs.end(), [](const auto& run) { return run.step == kBackground; });
  const bool served = turn.weight_served && turn.next.weights.desired > 0;
  if (!started && (!served || turn.next.current_step_index < analysis->starting_step)) return;
  const RunResult result = run_analysis(turn, *analysis, kBackground);
  switch (result.phase) {
    case metrics::Phase::kRunning:
    case metrics::Phase::kSuccessful:
      return;
    case metrics::Phase::kInconclusive:
      turn.pause("Inconclusive", result.evidence);
      return;
    case metrics::Phase::kFailed:
    case metrics::Phase::kError:
      if (result.on_failure == api::OnFailure::kAbort) return abort(turn, "analysis", result.evidence);
      turn.pause("MetricFailed", result.evidence);
      return;
  }
}

std::string unproven(const Turn& turn) {
  const auto& analysis = turn.canary().analysis;
  if (!analysis || turn.next.promote_full) return {};
  for (const auto& metric : analysis->metrics) {
    const api::MetricStatus* found = nullptr;
    for (const auto& run : turn.next.analysis_runs) {
      if (run.step != kBackground) continue;
      for (const auto& status : run.metrics) {
        if (status.name == metric.name) found = &status;
      }
    }
    if (!found || found->successful == 0) {
      return "metric " + metric.name + " to be measured" +
             (found && !found->evidence.empty() ? ": " + found->evidence : std::string());
    }
    // A run with a count has to be through with it.
    if (metric.count && found->phase == "Running") {
      return "metric " + metric.name + ": " + std::to_string(found->count) + " of " +
             count_of(*metric.count, "measurement");
    }
  }
  return {};
}

}  // namespace tidegate::rollout
