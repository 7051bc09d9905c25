// SPDX-License-Identifier: Apache-2.0
#include "api/condition.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tidegate::api {

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto it =
      std::find_if(conditions.begin(), conditions.end(), [&](const auto& c) { return c.type == type; });
  return it == conditions.end() ? nullptr : &*it;
}

std::vector<Condition> decode_conditions(const Json& array) {
  std::vector<Condition> out;
  if (!array.is_array()) return out;
  for (const auto& item : array) {
    Condition condition;
    condition.type = json::string_at(item, "type");
    if (condition.type.empty()) continue;
    condition.status = json::string_at(item, "status", "Unknown");
    condition.reason = json::string_at(item, "reason");
    condition.message = json::string_at(item, "message");
    condition.observed_generation = json::int_at(item, "observedGeneration");
    condition.last_transition =
        text::parse_time(json::string_at(item, "lastTransitionTime")).value_or(TimePoint{});
    out.push_back(std::move(condition));
  }
  return out;
}

Json encode_conditions(const std::vector<Condition>& conditions) {
  Json out = Json::array();
  for (const auto& condition : conditions) {
    Json item = {{"type", condition.type},
                 {"status", condition.status},
                 {"reason", condition.reason},
                 {"message", condition.message},
                 {"lastTransitionTime", text::format_time(condition.last_transition)}};
    if (condition.observed_generation != 0) item["observedGeneration"] = condition.observed_generation;
    out.push_back(std::move(item));
  }
  return out;
}

std::vector<Condition> merge_conditions(const std::vector<Condition>& current, std::vector<Condition> wanted,
                                        TimePoint now) {
  // Whole seconds, as they are written: what is read back must compare equal.
  now = std::chrono::floor<std::chrono::seconds>(now);
  for (auto& condition : wanted) {
    const auto* before = find_condition(current, condition.type);
    condition.last_transition = before && before->status == condition.status ? before->last_transition : now;
  }
  return wanted;
}

}  // namespace tidegate::api
