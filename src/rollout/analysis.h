// SPDX-License-Identifier: Apache-2.0
// Analysis runs: measures what is due from the data plane's counts, judges it, keeps the tally in status.
// Thread: none; pure.
#pragma once

#include "metrics/judge.h"
#include "rollout/turn.h"

namespace tidegate::rollout {

struct RunResult {
  metrics::Phase phase = metrics::Phase::kRunning;
  std::string evidence;  // of the metric that decided, or that is waited for
  api::OnFailure on_failure = api::OnFailure::kAbort;
  std::optional<TimePoint> next_at;  // when the next measurement is due
};

inline constexpr std::int64_t kBackground = -1;

// `step`: the index of the step that it belongs to, or kBackground.
RunResult run_analysis(Turn& turn, const api::Analysis& analysis, std::int64_t step);

// The background run: starts with the first served weight from its starting step on; aborts or pauses the
// rollout as its metrics say.
void watch_canary(Turn& turn);
// What the background run has not passed yet, in words; empty: all of it (G6).
std::string unproven(const Turn& turn);

}  // namespace tidegate::rollout
