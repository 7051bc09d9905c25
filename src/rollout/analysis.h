// SPDX-License-Identifier: Apache-2.0
// The analyses of a Rollout: when each runs, and what its verdict does to the rollout. How a run is judged:
// analysis/run.h. Thread: none; pure.
#pragma once

#include "analysis/run.h"
#include "rollout/turn.h"

namespace tidegate::rollout {

// Finds the metrics of every analysis of the spec, templates and args filled in. What can't be found is a
// problem of the turn, with which nothing is changed.
void resolve_analyses(Turn& turn);

// `step`: the index of the step that it belongs to, or api::kBackgroundRun, kPrePromotionRun,
// kPostPromotionRun; resolve_analyses has seen it. Starts the run where there is none yet. Measurements that
// are due go to turn.measures.
analysis::RunResult run_analysis(Turn& turn, std::int64_t step);
// On counts that are not those of the two sides, with metrics that run until the step ends.
analysis::RunResult run_analysis(Turn& turn, std::int64_t step, const analysis::Traffic& traffic,
                                 bool open_ended);

// The background run: starts with the first served weight from its starting step on; aborts or pauses the
// rollout as its metrics say.
void watch_canary(Turn& turn);
// What the run has not passed yet, in words; empty: all of it (G6).
std::string unproven(const Turn& turn, std::int64_t step);
std::string unproven(const Turn& turn);  // the background run, where there is one

}  // namespace tidegate::rollout
