// SPDX-License-Identifier: Apache-2.0
// What a Job (batch/v1) needs: pods to make, pods to end, its status, its own end. Without indexed completion
// and pod failure policies. Thread: none; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/condition.h"
#include "local/pod_worker.h"

namespace tidegate::local {

struct JobSpec {
  std::optional<std::int32_t> completions;  // none: one success ends it, once all pods have ended
  std::int32_t parallelism = 1, backoff_limit = 6;
  std::optional<Duration> active_deadline, ttl_after_finished;
  bool suspended = false;
};
JobSpec decode_job_spec(const Json& job);

struct JobStatus {
  std::int32_t active = 0, ready = 0, succeeded = 0, failed = 0;
  std::optional<TimePoint> started, completed;
  std::vector<api::Condition> conditions;  // Complete or Failed, at the end
};
JobStatus decode_job_status(const Json& job);
Json encode_job_status(const JobStatus& status);

struct JobPlan {
  std::vector<std::string> create;  // names, the same after a crash
  std::vector<std::string> remove;
  JobStatus status;
  bool expired = false;             // the Job itself is to go
  std::optional<Duration> recheck;  // a deadline, a wait before the next try, the time to live
};

// `pods`: all of the Job's, ended ones too: they are kept, and counted.
JobPlan plan_job(const Json& job, const std::vector<const PodObject*>& pods, TimePoint now);

}  // namespace tidegate::local
