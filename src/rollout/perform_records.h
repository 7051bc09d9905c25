// SPDX-License-Identifier: Apache-2.0
// Shows each analysis of a Rollout as an AnalysisRun, for people: what decides stands in the Rollout's
// status. Level-triggered, so that what failed is made up for at the next look; nothing waits for it and no
// failure of it stops a rollout. Thread: control.
#pragma once

#include "kube/client.h"
#include "rollout/cluster.h"
#include "rollout/decision.h"

namespace tidegate::rollout {

// shop-6d4c8-step-2-x2k7f: the start is part of it, as a retried rollout runs the same analysis again.
std::string record_name(const api::Rollout& rollout, const std::string& revision,
                        const api::AnalysisRunStatus& run);

// What is to be written of it; nothing where what stands there says enough.
std::optional<Json> record_of(const api::Rollout& rollout, const Decision& decision,
                              const api::AnalysisRunStatus& run, const api::AnalysisRun* before,
                              TimePoint now);

// Names of those that are kept no longer: past the limits, oldest first.
std::vector<std::string> outlived(const api::Rollout& rollout, const std::vector<std::string>& current,
                                  const Cluster& cluster);

Task<void> record_runs(kube::Client& client, Cluster& cluster, std::shared_ptr<const api::Rollout> rollout,
                       const Decision& decision, TimePoint now);

}  // namespace tidegate::rollout
