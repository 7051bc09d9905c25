// SPDX-License-Identifier: Apache-2.0
// The `job` provider: a Kubernetes Job as a measurement. It passes by ending well and fails by failing; one
// of which no pod ever ran proves nothing, and is inconclusive. Thread: control.
#pragma once

#include <functional>

#include "analysis/run.h"
#include "api/core.h"
#include "kube/client.h"

namespace tidegate::analysis {

// `spec`: {metadata: {labels, annotations}, spec: a JobSpec}. Named by the measurement, so that after a crash
// the same Job is found again.
Json job_document(const std::string& ns, const api::OwnerReference& owner, const Measure& measure,
                  const Json& spec);

// What a Job's status says; nothing while it runs.
std::optional<Sample> judge_job(const Json& job);

// Creates it where it is missing and follows it to its end or its deadline. Once `wanted` says no, the Job is
// deleted.
Task<Sample> run_job(kube::Client& client, Json document, std::function<bool()> wanted);

}  // namespace tidegate::analysis
