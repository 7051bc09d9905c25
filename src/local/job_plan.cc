// SPDX-License-Identifier: Apache-2.0
#include "local/job_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "local/limits.h"
#include "local/pod_status.h"
#include "local/replica_plan.h"

namespace tidegate::local {
namespace {

std::optional<Duration> seconds_at(const Json& job, std::string_view path) {
  if (json::find(job, path) == nullptr) return std::nullopt;
  return std::chrono::seconds(json::int_at(job, path));
}

std::int32_t count_at(const Json& job, std::string_view path, std::int64_t absent = 0) {
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(json::int_at(job, path, absent), 0, kMaxReplicas));
}

std::int32_t restarts_of(const PodObject& pod) {
  std::int64_t sum = 0;
  for (const Json& status : json::array_at(*pod.json, "status.containerStatuses"))
    sum += json::int_at(status, "restartCount");
  return static_cast<std::int32_t>(std::min<std::int64_t>(sum, kMaxReplicas));
}

TimePoint ended_at(const PodObject& pod) {
  TimePoint last = pod.meta.created;
  for (const Json& status : json::array_at(*pod.json, "status.containerStatuses")) {
    const auto at = text::parse_time(json::string_at(status, "state.terminated.finishedAt"));
    last = std::max(last, at.value_or(last));
  }
  return last;
}

class Planner {
 public:
  Planner(const Json& job, const std::vector<const PodObject*>& pods, TimePoint now)
      : job_(job), spec_(decode_job_spec(job)), pods_(pods), now_(now) {
    plan_.status = decode_job_status(job);
  }

  JobPlan run() {
    JobStatus& status = plan_.status;
    count();
    if (!status.conditions.empty()) return finished();
    if (spec_.suspended) return end_active();
    if (!status.started) status.started = now_;
    if (spec_.active_deadline) {
      const TimePoint deadline = *status.started + *spec_.active_deadline;
      if (now_ >= deadline) return fail("DeadlineExceeded", "Job was active longer than specified deadline");
      recheck_at(deadline);
    }
    if (failures_ > spec_.backoff_limit)
      return fail("BackoffLimitExceeded", "Job has reached the specified backoff limit");
    if (is_complete()) {
      status.completed = now_;
      status.conditions = {
          {"Complete", "True", "CompletionsReached", "Reached expected number of succeeded pods", 0, now_}};
      return finished();
    }
    make_pods();
    return std::move(plan_);
  }

 private:
  void count() {
    JobStatus& status = plan_.status;
    status.active = status.ready = status.succeeded = status.failed = 0;
    for (const auto* pod : pods_) {
      if (pod->pod.phase == "Succeeded") {
        ++status.succeeded;
      } else if (pod->pod.phase == "Failed") {
        ++status.failed;
        last_failure_ = std::max(last_failure_, ended_at(*pod));
      } else if (is_active(pod->pod)) {
        ++status.active;
        status.ready += pod->pod.ready;
        failures_ += restarts_of(*pod);
      }
    }
    failures_ += status.failed;
  }

  bool is_complete() const {
    const JobStatus& status = plan_.status;
    if (spec_.completions) return status.succeeded >= *spec_.completions;
    return status.succeeded > 0 && status.active == 0;
  }

  void make_pods() {
    const JobStatus& status = plan_.status;
    std::int32_t wanted = spec_.parallelism;
    if (spec_.completions) wanted = std::min(wanted, *spec_.completions - status.succeeded);
    if (!spec_.completions && status.succeeded > 0) wanted = 0;  // the others end by themselves
    const std::int32_t missing = std::min(wanted - status.active, kMaxCreatesAtOnce);
    if (missing <= 0) return;
    if (status.failed > 0) {
      const TimePoint next = last_failure_ + restart_back_off(status.failed);
      if (now_ < next) return recheck_at(next);
    }
    std::set<std::string> taken;
    for (const auto* pod : pods_) taken.insert(pod->meta.name);
    const std::string name = json::string_at(job_, "metadata.name"),
                      uid = json::string_at(job_, "metadata.uid");
    for (std::int32_t index = 0; std::ssize(plan_.create) < missing; ++index) {
      std::string pod = name + "-" + text::safe_hash(uid + "/" + std::to_string(index)).substr(0, 5);
      if (taken.insert(pod).second) plan_.create.push_back(std::move(pod));
    }
  }

  JobPlan fail(const char* reason, const char* message) {
    plan_.status.conditions = {{"Failed", "True", reason, message, 0, now_}};
    return finished();
  }

  JobPlan finished() {
    const TimePoint at = plan_.status.conditions.front().last_transition;
    if (spec_.ttl_after_finished) {
      plan_.expired = now_ >= at + *spec_.ttl_after_finished;
      if (!plan_.expired) recheck_at(at + *spec_.ttl_after_finished);
    }
    return end_active();
  }

  JobPlan end_active() {
    for (const auto* pod : pods_) {
      if (is_active(pod->pod)) plan_.remove.push_back(pod->meta.name);
    }
    return std::move(plan_);
  }

  void recheck_at(TimePoint at) { plan_.recheck = std::min(at - now_, plan_.recheck.value_or(at - now_)); }

  const Json& job_;
  const JobSpec spec_;
  const std::vector<const PodObject*>& pods_;
  const TimePoint now_;
  JobPlan plan_;
  std::int32_t failures_ = 0;  // of pods, and of containers that were started again
  TimePoint last_failure_{};
};

}  // namespace

JobSpec decode_job_spec(const Json& job) {
  JobSpec spec;
  if (json::find(job, "spec.completions") != nullptr) spec.completions = count_at(job, "spec.completions");
  spec.parallelism = count_at(job, "spec.parallelism", spec.parallelism);
  spec.backoff_limit = count_at(job, "spec.backoffLimit", spec.backoff_limit);
  spec.active_deadline = seconds_at(job, "spec.activeDeadlineSeconds");
  spec.ttl_after_finished = seconds_at(job, "spec.ttlSecondsAfterFinished");
  spec.suspended = json::bool_at(job, "spec.suspend");
  return spec;
}

JobStatus decode_job_status(const Json& job) {
  JobStatus status;
  status.started = text::parse_time(json::string_at(job, "status.startTime"));
  status.completed = text::parse_time(json::string_at(job, "status.completionTime"));
  status.conditions = api::decode_conditions(json::array_at(job, "status.conditions"));
  return status;
}

Json encode_job_status(const JobStatus& status) {
  Json out = {{"active", status.active},
              {"ready", status.ready},
              {"succeeded", status.succeeded},
              {"failed", status.failed}};
  if (status.started) out["startTime"] = text::format_time(*status.started);
  if (status.completed) out["completionTime"] = text::format_time(*status.completed);
  if (!status.conditions.empty()) out["conditions"] = api::encode_conditions(status.conditions);
  return out;
}

JobPlan plan_job(const Json& job, const std::vector<const PodObject*>& pods, TimePoint now) {
  return Planner(job, pods, now).run();
}

}  // namespace tidegate::local
