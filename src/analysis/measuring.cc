// SPDX-License-Identifier: Apache-2.0
#include "analysis/measuring.h"

#include <algorithm>
#include <cmath>

#include "analysis/limits.h"
#include "base/text.h"
#include "metrics/gateway_provider.h"

namespace tidegate::analysis {
namespace {

using metrics::Outcome;

std::string number(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

double read(const api::GatewayProvider& provider, const metrics::BackendTraffic& canary, double seconds) {
  switch (provider.metric) {
    case api::GatewayMetric::kSuccessRate:
      return metrics::success_rate(canary);
    case api::GatewayMetric::kLatency:
      return metrics::latency_quantile(canary, provider.quantile);
    case api::GatewayMetric::kRequestRate:
      return metrics::request_rate(canary, seconds);
    case api::GatewayMetric::kErrorCount:
      return static_cast<double>(canary.failures);
  }
  return std::nan("");
}

std::string read_text(const api::GatewayProvider& provider, double value) {
  switch (provider.metric) {
    case api::GatewayMetric::kSuccessRate:
      return "success-rate " + number("%.4g", value);
    case api::GatewayMetric::kLatency:
      return "latency p" + number("%.4g", provider.quantile * 100) + " " + number("%.4gs", value);
    case api::GatewayMetric::kRequestRate:
      return "request-rate " + number("%.4g/s", value);
    case api::GatewayMetric::kErrorCount:
      return "error-count " + number("%.0f", value);
  }
  return {};
}

std::string values_text(const std::vector<double>& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size() && i < kShownValues; ++i)
    out += (i > 0 ? ", " : "") + number("%.6g", values[i]);
  if (values.size() > kShownValues) out += " and " + std::to_string(values.size() - kShownValues) + " more";
  return out;
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

metrics::Verdict verdict_on(const api::Metric& metric, std::span<const double> values) {
  const auto criteria = criteria_of(metric);
  if (!criteria) return {Outcome::kError, criteria.error().detail};
  auto verdict = metrics::judge(*criteria, values);
  if (verdict.outcome == Outcome::kFailed && !metric.success_condition.empty())
    verdict.why += ", " + metric.success_condition;
  return verdict;
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

}  // namespace

Measuring::Measuring(const api::Metric& metric, const api::AnalysisRunStatus& run, api::MetricStatus& status,
                     const Inputs& inputs, std::size_t comparisons)
    : metric_(metric), run_(run), status_(status), in_(inputs), comparisons_(comparisons) {}

void Measuring::step(RunResult& result) {
  const TimePoint from = run_.started_at + metric_.initial_delay;
  if (in_.now < from) return look_at(result, from);
  metric_.provider.reads_counts() ? step_counts(result) : step_sample(result);
}

void Measuring::look_at(RunResult& result, TimePoint time) const {
  result.next_at = result.next_at ? std::min(*result.next_at, time) : time;
  const TimePoint from = status_.waiting_since.value_or(time);
  result.waiting_since = result.waiting_since ? std::max(*result.waiting_since, from) : from;
}

void Measuring::step_counts(RunResult& result) {
  if (!status_.since) status_.since = mark();
  if (metric_.compare) begin_stretch();
  const TimePoint due =
      std::max(status_.measured_at.value_or(status_.since->at), status_.since->at) + metric_.interval;
  if (in_.now < due && !crossed())
    return look_at(result, metric_.compare ? std::min(due, in_.now + kTick) : due);
  measure_counts();
  look_at(result, in_.now + (status_.measured_at == in_.now ? metric_.interval : kTick));
}

void Measuring::step_sample(RunResult& result) {
  const TimePoint due =
      status_.measured_at ? *status_.measured_at + metric_.interval : run_.started_at + metric_.initial_delay;
  if (in_.now < due) return look_at(result, due);
  // Part of the name of a measurement is what came before it, so that no result counts twice.
  const std::string id = run_.name + "/" + metric_.name + "/" + text::format_micro_time(run_.started_at) +
                         "/" +
                         (status_.measured_at ? text::format_micro_time(*status_.measured_at) : "first");
  const auto sample = in_.samples.find(id);
  if (sample == in_.samples.end()) {
    result.due.push_back({id, run_.name, metric_.name, metric_.provider});
    const TimePoint from = status_.waiting_since.value_or(due);
    result.waiting_since = result.waiting_since ? std::max(*result.waiting_since, from) : from;
    return;
  }
  take(judge_sample(sample->second));
  look_at(result, in_.now + metric_.interval);
}

api::TrafficMark Measuring::mark() const {
  return analysis::mark(in_.traffic, in_.now,
                        metric_.provider.gateway.metric == api::GatewayMetric::kLatency);
}

Measuring::Window Measuring::window() const {
  return {stable_since(in_.traffic, status_.since), canary_since(in_.traffic, status_.since),
          std::chrono::duration<double>(in_.now - status_.since->at).count()};
}

metrics::CompareOptions Measuring::options() const {
  metrics::CompareOptions out;
  if (metric_.provider.gateway.metric == api::GatewayMetric::kLatency) out.what = metrics::Compared::kLatency;
  out.quantile = metric_.provider.gateway.quantile;
  out.worse_by = metric_.compare->worse_by;
  out.min_effect = metric_.compare->min_effect;
  out.confidence = metric_.compare->confidence;
  out.alpha_share = 1.0 / static_cast<double>(std::max<std::size_t>(1, comparisons_));
  return out;
}

metrics::Earlier Measuring::earlier() const { return {status_.log_evidence, status_.stretches}; }

// Where the weight changed, the shares did; each stretch is tested by its own share, and none lasts for long.
void Measuring::begin_stretch() {
  const TimePoint since = status_.since->at;
  const bool changed = in_.served_at && *in_.served_at > since;
  // Not before it was measured: minRequests counts from where the stretch begins.
  const bool lasted = in_.now - since >= metrics::kLongestStretch && status_.measured_at > since;
  if (!changed && !lasted) return;
  const Window seen = window();
  const auto left = metrics::finish_stretch(options(), earlier(), seen.stable, seen.canary);
  status_.log_evidence = left.log_evidence;
  status_.stretches = left.stretches;
  status_.since = mark();
}

// A sequential test may be looked at any time, so it need not wait for its interval to say no.
bool Measuring::crossed() const {
  if (!metric_.compare) return false;
  const Window seen = window();
  return metrics::is_worse(options(), earlier(), seen.stable, seen.canary);
}

void Measuring::measure_counts() {
  if (!in_.traffic.known)
    return finish({Outcome::kError, "no counts: no proxy of Tidegate's serves the route", ""});
  const Window seen = window();
  const bool rate = metric_.provider.gateway.metric == api::GatewayMetric::kRequestRate;
  const auto needed = std::max<std::uint64_t>(static_cast<std::uint64_t>(metric_.min_requests), rate ? 0 : 1);
  if (seen.canary.requests < needed && !crossed()) {
    return take({Outcome::kNoData,
                 std::to_string(seen.canary.requests) + " of " +
                     count_of(static_cast<std::int64_t>(needed), "request") + " needed",
                 ""});
  }
  // Not through take(): a value that is no number although there were requests is a verdict.
  finish(metric_.compare ? judge_compared(seen) : judge_counts(seen));
}

Measuring::Judged Measuring::judge_counts(const Window& seen) const {
  const auto& provider = metric_.provider.gateway;
  const double value = read(provider, seen.canary, seen.seconds);
  // Flagger's ranges count in percent.
  const bool percent = metric_.threshold && provider.metric == api::GatewayMetric::kSuccessRate;
  const double judged[] = {percent ? value * 100 : value};
  const auto verdict = verdict_on(metric_, judged);
  std::string text = read_text(provider, value) + " (" + figures(seen.canary) + ")";
  if (!verdict.why.empty()) text += ": " + verdict.why;
  return {verdict.outcome, std::move(text), number("%.6g", judged[0])};
}

Measuring::Judged Measuring::judge_compared(const Window& seen) const {
  auto compared = metrics::compare(options(), earlier(), seen.stable, seen.canary);
  return {compared.worse ? Outcome::kFailed : Outcome::kSuccessful, std::move(compared.text),
          number("%.6g", compared.canary.estimate)};
}

Measuring::Judged Measuring::judge_sample(const Sample& sample) const {
  const std::string& kind = metric_.provider.kind;
  if (sample.verdict) return {*sample.verdict, kind + ": " + sample.text, ""};
  const auto verdict = verdict_on(metric_, sample.values);
  const std::string values = values_text(sample.values);
  std::string text = kind + (values.empty() ? "" : " " + values);
  if (!verdict.why.empty()) text += ": " + verdict.why;
  if (!sample.text.empty()) text += " (" + sample.text + ")";
  return {verdict.outcome, std::move(text), values};
}

void Measuring::take(Judged judged) {
  if (judged.outcome != Outcome::kNoData) return finish(std::move(judged));
  if (metric_.no_data != api::NoData::kWait) {
    judged.outcome = without_data(metric_.no_data);
    return finish(std::move(judged));
  }
  // Not counted: the window of counts stays open, and a provider is asked again.
  status_.evidence = std::move(judged.evidence);
  if (!status_.waiting_since) status_.waiting_since = in_.now;
  if (!metric_.provider.reads_counts()) status_.measured_at = in_.now;
}

void Measuring::finish(Judged judged) {
  status_.measured_at = in_.now;
  status_.waiting_since.reset();
  if (metric_.provider.reads_counts() && !metric_.compare) status_.since = mark();
  status_.evidence = std::move(judged.evidence);
  status_.value = std::move(judged.value);
  status_.outcome = metrics::to_string(judged.outcome);
  metrics::Tally tally{status_.count,
                       status_.successful,
                       status_.failed,
                       status_.inconclusive,
                       status_.error,
                       status_.consecutive_error,
                       status_.consecutive_success};
  metrics::add(tally, judged.outcome);
  status_.count = tally.count;
  status_.successful = tally.successful;
  status_.failed = tally.failed;
  status_.inconclusive = tally.inconclusive;
  status_.error = tally.error;
  status_.consecutive_error = tally.consecutive_error;
  status_.consecutive_success = tally.consecutive_success;
  metrics::Limits limits{metric_.failure_limit, metric_.inconclusive_limit, metric_.consecutive_error_limit,
                         metric_.count, metric_.consecutive_success_limit};
  // Without a count, what blocks is over at its first answer; what may be forgiven needs as many more.
  if (run_.step != api::kBackgroundRun && !in_.open_ended && !limits.count && limits.consecutive_successes == 0)
    limits.count = 1 + std::max<std::int64_t>(0, metric_.failure_limit);
  auto phase = metrics::conclude(limits, tally);
  if (metric_.compare && judged.outcome == Outcome::kFailed) phase = metrics::Phase::kFailed;  // decisive
  status_.phase = metrics::to_string(phase);
}

}  // namespace tidegate::analysis
