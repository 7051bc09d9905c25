// SPDX-License-Identifier: Apache-2.0
// Judging: a measurement against criteria, a row of measurements against limits. No data is never success
// (guarantee G5): an empty result or a NaN is kNoData whatever the condition says. Thread: none; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "metrics/expression.h"

namespace tidegate::metrics {

// What a value must satisfy. Of the conditions: the failure condition decides first; with both given and
// neither true it is inconclusive; with one given, the other is its opposite.
struct Criteria {
  std::optional<Expression> success, failure;
  std::optional<double> min, max;
};

enum class Outcome { kSuccessful, kFailed, kInconclusive, kNoData, kError };
const char* to_string(Outcome outcome);

struct Verdict {
  Outcome outcome = Outcome::kNoData;
  std::string why;  // of what is not success: the rule that decided
};
Verdict judge(const Criteria& criteria, std::span<const double> result);

struct Limits {
  std::int64_t failures = 0;  // negative: no limit
  std::int64_t inconclusive = 0, consecutive_errors = 4;
  std::optional<std::int64_t> count;       // so many measurements that are no errors end it
  std::int64_t consecutive_successes = 0;  // so many in a row pass at once; 0: off
};
struct Tally {
  std::int64_t count = 0, successful = 0, failed = 0, inconclusive = 0, error = 0, consecutive_error = 0,
               consecutive_success = 0;
};
void add(Tally& tally, Outcome outcome);  // kNoData counts as inconclusive

enum class Phase { kRunning, kSuccessful, kFailed, kInconclusive, kError };
const char* to_string(Phase phase);
// Failures and errors weigh more than the count; a run whose count is reached without one success, or without
// as many in a row as are asked for, is inconclusive.
Phase conclude(const Limits& limits, const Tally& tally);

}  // namespace tidegate::metrics
