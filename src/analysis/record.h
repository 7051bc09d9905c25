// SPDX-License-Identifier: Apache-2.0
// What an AnalysisRun shows of a run: the documents. Thread: none; pure.
#pragma once

#include <string>
#include <vector>

#include "analysis/run.h"

namespace tidegate::analysis {

// The status: phase, message, per metric the counts and its last measurements. `before`: the status that
// stands there, whose measurements are kept, as many as each metric says.
Json run_status(const api::AnalysisRunStatus& run, const std::vector<api::Metric>& metrics,
                std::string message, const Json& before, TimePoint now);

// In words: the metric that decided, or that is waited for.
std::string message_of(const api::AnalysisRunStatus& run);

// The spec of a Rollout's run: its metrics as they are measured. Secrets are only named.
Json run_spec(const std::vector<api::Metric>& metrics);

bool is_over(const std::string& phase);
inline constexpr const char* kEnded = "Ended";  // before it came to a verdict

}  // namespace tidegate::analysis
