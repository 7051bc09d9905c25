// SPDX-License-Identifier: Apache-2.0
#include "api/rollout_status.h"

#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace tidegate::api {
namespace {

constexpr Stage kStages[] = {Stage::kIdle,      Stage::kSteps,    Stage::kPromoting, Stage::kProving,
                             Stage::kSwitching, Stage::kSettling, Stage::kAborted};

void put_mark(Json& out, const char* key, const std::optional<TrafficMark>& mark) {
  if (mark) out[key] = encode_mark(*mark);
}

WeightStatus decode_weights(const Json& from) {
  WeightStatus out;
  out.desired = json::number_at(from, "desired").value_or(0);
  out.mirror = json::int_at(from, "mirror");
  out.written = json::bool_at(from, "written");
  out.observed = json::number_at(from, "observed");
  out.verified_at = time_at(from, "verifiedAt");
  out.since = decode_mark(from, "since");
  for (const auto& item : json::array_at(from, "experiments"))
    out.experiments.push_back(
        {json::string_at(item, "service"), json::number_at(item, "weight").value_or(0)});
  return out;
}
Json encode_weights(const WeightStatus& from) {
  Json out = {{"desired", from.desired}};
  put(out, "mirror", from.mirror);
  if (from.written) out["written"] = true;
  if (from.observed) out["observed"] = *from.observed;
  put(out, "verifiedAt", from.verified_at);
  put_mark(out, "since", from.since);
  for (const auto& item : from.experiments)
    out["experiments"].push_back({{"service", item.service}, {"weight", item.percent}});
  return out;
}

std::vector<StepRecord> decode_steps_of(const Json& from, const char* key) {
  std::vector<StepRecord> out;
  for (const auto& item : json::array_at(from, key)) {
    out.push_back({json::int_at(item, "index"), json::string_at(item, "step"),
                   json::string_at(item, "outcome"), time_at(item, "finishedAt").value_or(TimePoint{}),
                   json::string_at(item, "figures")});
  }
  return out;
}
void put_steps(Json& out, const char* key, const std::vector<StepRecord>& steps) {
  for (const auto& from : steps) {
    Json item = {{"index", from.index}, {"step", from.step}, {"outcome", from.outcome}};
    put(item, "finishedAt", std::optional(from.finished_at));
    put(item, "figures", from.figures);
    out[key].push_back(std::move(item));
  }
}

HistoryEntry decode_history(const Json& from) {
  return {json::string_at(from, "revision"),
          json::string_at(from, "outcome"),
          time_at(from, "startedAt").value_or(TimePoint{}),
          time_at(from, "finishedAt").value_or(TimePoint{}),
          static_cast<std::uint64_t>(json::int_at(from, "canaryRequests")),
          json::string_at(from, "reason"),
          decode_steps_of(from, "steps")};
}
Json encode_history(const HistoryEntry& from) {
  Json out = {
      {"revision", from.revision}, {"outcome", from.outcome}, {"canaryRequests", from.canary_requests}};
  put(out, "startedAt", std::optional(from.started_at));
  put(out, "finishedAt", std::optional(from.finished_at));
  out["duration"] = text::format_duration(from.finished_at - from.started_at);
  put(out, "reason", from.reason);
  put_steps(out, "steps", from.steps);
  return out;
}

// One row a plain text field, so that decoding and encoding can't differ.
template <typename Status, typename Visit>
void visit_texts(Status& status, Visit visit) {
  visit("phase", status.phase);
  visit("message", status.message);
  visit("stableRevision", status.stable_revision);
  visit("canaryRevision", status.canary_revision);
  visit("currentStepHash", status.current_step_hash);
  visit("stableSlot", status.stable_slot);
  visit("selector", status.selector);
  visit("step", status.step);
  visit("weight", status.weight);
  visit("observed", status.observed);
  visit("analysis", status.analysis);
  visit("routes", status.routes);
}
template <typename Status, typename Visit>
void visit_numbers(Status& status, Visit visit) {
  visit("observedGeneration", status.observed_generation);
  visit("currentStepIndex", status.current_step_index);
  visit("replicas", status.replicas);
  visit("updatedReplicas", status.updated_replicas);
  visit("readyReplicas", status.ready_replicas);
  visit("availableReplicas", status.available_replicas);
}
template <typename Status, typename Visit>
void visit_times(Status& status, Visit visit) {
  visit("startedAt", status.started_at);
  visit("stepStartedAt", status.step_started_at);
  visit("progressAt", status.progress_at);
  visit("returningSince", status.returning_since);
}

void decode_lists(const Json& from, RolloutStatus& out) {
  for (const auto& item : json::array_at(from, "pauseConditions")) {
    out.pause_conditions.push_back({json::string_at(item, "reason"),
                                    time_at(item, "startTime").value_or(TimePoint{}),
                                    json::string_at(item, "message")});
  }
  for (const auto& item : json::array_at(from, "managedRoutes")) {
    out.managed_routes.push_back({json::string_at(item, "kind"), json::string_at(item, "name"),
                                  json::string_at(item, "hash"), json::bool_at(item, "served")});
  }
  for (const auto& item : json::array_at(from, "analysisRuns")) out.analysis_runs.push_back(decode_run(item));
  out.finished_steps = decode_steps_of(from, "finishedSteps");
  for (const auto& item : json::array_at(from, "history")) out.history.push_back(decode_history(item));
  for (const auto& item : json::array_at(from, "repairs")) {
    if (!item.is_string()) continue;
    if (const auto time = text::parse_time(item.get<std::string>())) out.repairs.push_back(*time);
  }
  for (const auto& [key, item] : json::object_at(from, "handled").items()) {
    if (item.is_string()) out.handled.emplace(key, item.get<std::string>());
  }
  for (const auto& [key, item] : json::object_at(from, "scaleDownAt").items()) {
    if (!item.is_string()) continue;
    if (const auto time = text::parse_time(item.get<std::string>())) out.scale_down_at.emplace(key, *time);
  }
  out.conditions = decode_conditions(json::array_at(from, "conditions"));
}

void encode_lists(const RolloutStatus& from, Json& out) {
  for (const auto& pause : from.pause_conditions) {
    out["pauseConditions"].push_back({{"reason", pause.reason},
                                      {"startTime", text::format_micro_time(pause.since)},
                                      {"message", pause.message}});
  }
  for (const auto& route : from.managed_routes) {
    Json item = {{"kind", route.kind}, {"name", route.name}};
    put(item, "hash", route.hash);
    if (route.served) item["served"] = true;
    out["managedRoutes"].push_back(std::move(item));
  }
  for (const auto& run : from.analysis_runs) out["analysisRuns"].push_back(encode_run(run));
  put_steps(out, "finishedSteps", from.finished_steps);
  for (const auto& entry : from.history) out["history"].push_back(encode_history(entry));
  for (const auto& time : from.repairs) out["repairs"].push_back(text::format_micro_time(time));
  for (const auto& [key, value] : from.handled) out["handled"][key] = value;
  for (const auto& [key, time] : from.scale_down_at) out["scaleDownAt"][key] = text::format_micro_time(time);
  out["conditions"] = encode_conditions(from.conditions);
}

}  // namespace

const char* to_string(Stage stage) {
  switch (stage) {
    case Stage::kIdle:
      return "Idle";
    case Stage::kSteps:
      return "Steps";
    case Stage::kPromoting:
      return "Promoting";
    case Stage::kProving:
      return "Proving";
    case Stage::kSwitching:
      return "Switching";
    case Stage::kSettling:
      return "Settling";
    case Stage::kAborted:
      return "Aborted";
  }
  return "";
}

RolloutStatus decode_rollout_status(const Json& from) {
  RolloutStatus out;
  visit_texts(out, [&](const char* key, std::string& field) { field = json::string_at(from, key); });
  visit_numbers(out, [&](const char* key, std::int64_t& field) { field = json::int_at(from, key); });
  visit_times(out, [&](const char* key, std::optional<TimePoint>& field) { field = time_at(from, key); });
  for (const Stage stage : kStages) {
    if (json::string_at(from, "stage") == to_string(stage)) out.stage = stage;
  }
  out.step_mark = decode_mark(from, "stepMark");
  out.rollout_mark = decode_mark(from, "rolloutMark");
  out.weights = decode_weights(json::object_at(from, "weights"));
  if (const Json* abort = json::find(from, "abort")) {
    out.abort = AbortStatus{time_at(*abort, "at").value_or(TimePoint{}), json::string_at(*abort, "by"),
                            json::string_at(*abort, "reason")};
  }
  if (const Json* restart = json::find(from, "restart")) {
    out.restart =
        RestartStatus{time_at(*restart, "at").value_or(TimePoint{}),
                      time_at(*restart, "since").value_or(TimePoint{}), json::int_at(*restart, "left", -1)};
  }
  out.promote_full = json::bool_at(from, "promoteFull");
  out.rollback = json::bool_at(from, "rollback");
  decode_lists(from, out);
  return out;
}

Json encode_rollout_status(const RolloutStatus& from) {
  Json out = {{"stage", to_string(from.stage)}, {"weights", encode_weights(from.weights)}};
  visit_texts(from, [&](const char* key, const std::string& field) { put(out, key, field); });
  visit_numbers(from, [&](const char* key, std::int64_t field) { out[key] = field; });
  visit_times(from, [&](const char* key, const std::optional<TimePoint>& field) { put(out, key, field); });
  put_mark(out, "stepMark", from.step_mark);
  put_mark(out, "rolloutMark", from.rollout_mark);
  if (from.abort) {
    out["abort"] = {{"at", text::format_micro_time(from.abort->at)},
                    {"by", from.abort->by},
                    {"reason", from.abort->reason}};
  }
  if (from.restart) {
    out["restart"] = {{"at", text::format_micro_time(from.restart->at)},
                      {"since", text::format_micro_time(from.restart->since)},
                      {"left", from.restart->left}};
  }
  if (from.promote_full) out["promoteFull"] = true;
  if (from.rollback) out["rollback"] = true;
  encode_lists(from, out);
  return out;
}

}  // namespace tidegate::api
