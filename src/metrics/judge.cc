// SPDX-License-Identifier: Apache-2.0
#include "metrics/judge.h"

#include <algorithm>
#include <cmath>

namespace tidegate::metrics {
namespace {

std::string plain(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

Verdict judge_range(const Criteria& criteria, double value) {
  if (criteria.min && value < *criteria.min)
    return {Outcome::kFailed, "below the minimum " + plain(*criteria.min)};
  if (criteria.max && value > *criteria.max)
    return {Outcome::kFailed, "above the maximum " + plain(*criteria.max)};
  return {Outcome::kSuccessful, ""};
}

Verdict judge_conditions(const Criteria& criteria, std::span<const double> result) {
  if (criteria.failure) {
    const auto failed = criteria.failure->holds(result);
    if (!failed) return {Outcome::kError, failed.error().detail};
    if (*failed) return {Outcome::kFailed, "failureCondition holds"};
    if (!criteria.success) return {Outcome::kSuccessful, ""};
  }
  const auto passed = criteria.success->holds(result);
  if (!passed) return {Outcome::kError, passed.error().detail};
  if (*passed) return {Outcome::kSuccessful, ""};
  if (criteria.failure)
    return {Outcome::kInconclusive, "neither successCondition nor failureCondition holds"};
  return {Outcome::kFailed, "successCondition does not hold"};
}

}  // namespace

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSuccessful:
      return "Successful";
    case Outcome::kFailed:
      return "Failed";
    case Outcome::kInconclusive:
      return "Inconclusive";
    case Outcome::kNoData:
      return "NoData";
    case Outcome::kError:
      return "Error";
  }
  return "";
}

const char* to_string(Phase phase) {
  switch (phase) {
    case Phase::kRunning:
      return "Running";
    case Phase::kSuccessful:
      return "Successful";
    case Phase::kFailed:
      return "Failed";
    case Phase::kInconclusive:
      return "Inconclusive";
    case Phase::kError:
      return "Error";
  }
  return "";
}

Verdict judge(const Criteria& criteria, std::span<const double> result) {
  const bool nan = std::any_of(result.begin(), result.end(), [](double value) { return std::isnan(value); });
  if (result.empty() || nan) return {Outcome::kNoData, "no data"};
  if (criteria.min || criteria.max) return judge_range(criteria, result.front());
  if (criteria.success || criteria.failure) return judge_conditions(criteria, result);
  return {Outcome::kError, "no condition to judge by"};
}

void add(Tally& tally, Outcome outcome) {
  ++tally.count;
  if (outcome != Outcome::kError) tally.consecutive_error = 0;
  if (outcome != Outcome::kSuccessful) tally.consecutive_success = 0;
  switch (outcome) {
    case Outcome::kSuccessful:
      ++tally.successful;
      ++tally.consecutive_success;
      break;
    case Outcome::kFailed:
      ++tally.failed;
      break;
    case Outcome::kInconclusive:
    case Outcome::kNoData:
      ++tally.inconclusive;
      break;
    case Outcome::kError:
      ++tally.error;
      ++tally.consecutive_error;
      break;
  }
}

Phase conclude(const Limits& limits, const Tally& tally) {
  if (limits.failures >= 0 && tally.failed > limits.failures) return Phase::kFailed;
  if (tally.consecutive_error > limits.consecutive_errors) return Phase::kError;
  if (tally.inconclusive > limits.inconclusive) return Phase::kInconclusive;
  const bool in_a_row = limits.consecutive_successes > 0;
  if (in_a_row && tally.consecutive_success >= limits.consecutive_successes) return Phase::kSuccessful;
  if (!limits.count || tally.count - tally.error < *limits.count) return Phase::kRunning;
  if (in_a_row) return Phase::kInconclusive;
  return tally.successful > 0 ? Phase::kSuccessful : Phase::kInconclusive;
}

}  // namespace tidegate::metrics
