// SPDX-License-Identifier: Apache-2.0
#include "rollout/mirrors.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "rollout/header_routes.h"
#include "rollout/limits.h"

namespace tidegate::rollout {
namespace {

// All fields that have defaults are there, so that what is read back is equal.
Json mirror_filter(const api::Rollout& rollout, const Json& rule, std::int64_t percent) {
  Json backend = {{"group", ""}, {"kind", "Service"}, {"name", rollout.spec.canary.canary_service}};
  for (const auto& reference : json::array_at(rule, "backendRefs")) {
    if (!names_service(reference, rollout.meta.ns, rollout.spec.canary.stable_service)) continue;
    for (const auto* field : {"port", "namespace"}) {
      if (reference.contains(field)) backend[field] = reference[field];
    }
    break;
  }
  Json mirror = {{"backendRef", std::move(backend)}};
  // Without it all are copied, and Gateways from before 1.2 know that as well.
  if (percent < 100) mirror["percent"] = percent;
  return {{"type", "RequestMirror"}, {"requestMirror", std::move(mirror)}};
}

Result<Json> mirror_rule(const api::Rollout& rollout, const Json& source, const std::string& kind,
                         const api::SetMirrorRoute& step) {
  Json rule = source;
  remove_copies_to_canary(rollout, rule);
  rule["filters"].push_back(mirror_filter(rollout, source, *step.percent));
  const Json before = matches_of(rule, kind);
  Json matches = Json::array();
  for (const auto& entry : step.match) {
    if (!entry.method.empty() && kind != "HTTPRoute")
      return Error{ErrorCode::kInvalid, "is one of a " + kind + ", which has no HTTP methods to match"};
    for (Json match : before) {
      const std::string method = json::string_at(match, "method");
      if (!entry.method.empty() && !method.empty() && method != entry.method) continue;  // never both
      if (!entry.method.empty()) match["method"] = entry.method;
      if (const auto added = add_headers(match, entry.headers); !added) return added.error();
      matches.push_back(std::move(match));
    }
  }
  if (matches.size() > kMaxRuleMatches) {
    return Error{ErrorCode::kLimit, "would have " + std::to_string(matches.size()) +
                                        " matches; a route allows " + std::to_string(kMaxRuleMatches)};
  }
  if (rule["filters"].size() > kMaxRuleFilters) {
    return Error{ErrorCode::kLimit, "has " + std::to_string(kMaxRuleFilters) +
                                        " filters already, which is all that a route allows"};
  }
  rule["matches"] = std::move(matches);
  return rule;
}

}  // namespace

bool names_service(const Json& reference, const std::string& ns, const std::string& service) {
  return json::string_at(reference, "name") == service &&
         json::string_at(reference, "kind", "Service") == "Service" &&
         json::string_at(reference, "group").empty() && json::string_at(reference, "namespace", ns) == ns;
}

bool copies_to_canary(const api::Rollout& rollout, const Json& filter) {
  return json::string_at(filter, "type") == "RequestMirror" &&
         names_service(json::object_at(filter, "requestMirror.backendRef"), rollout.meta.ns,
                       rollout.spec.canary.canary_service);
}

void remove_copies_to_canary(const api::Rollout& rollout, Json& rule) {
  const auto filters = rule.find("filters");
  if (filters == rule.end() || !filters->is_array()) return;
  Json left = Json::array();
  for (auto& filter : *filters) {
    if (!copies_to_canary(rollout, filter)) left.push_back(std::move(filter));
  }
  if (left.empty()) {
    rule.erase(filters);
  } else {
    *filters = std::move(left);
  }
}

std::vector<const api::SetMirrorRoute*> mirrors_set(const Turn& turn) {
  std::vector<const api::SetMirrorRoute*> out;
  // Not while promoting: the canary gets all requests then, and would get them twice.
  if (turn.next.stage != api::Stage::kSteps) return out;
  const auto& steps = turn.canary().steps;
  for (std::int64_t i = 0; i <= turn.next.current_step_index && i < static_cast<std::int64_t>(steps.size());
       ++i) {
    const auto* step = std::get_if<api::SetMirrorRoute>(&steps[static_cast<std::size_t>(i)]);
    if (!step) continue;
    std::erase_if(out, [&](const auto* earlier) { return earlier->name == step->name; });
    if (step->percent) out.push_back(step);
  }
  return out;
}

std::vector<const api::SetMirrorRoute*> mirrors_in_effect(const Turn& turn) {
  if (turn.ready_canaries() == 0) return {};
  return mirrors_set(turn);
}

std::int64_t wanted_mirror(const Turn& turn) {
  std::int64_t percent = 0;
  for (const auto* step : mirrors_in_effect(turn)) {
    if (step->match.empty()) percent = *step->percent;
  }
  return percent;
}

bool mirrors(const SeenRule& rule, std::int64_t percent) {
  if (percent == 0) return rule.mirrors.empty();
  return rule.mirrors.size() == 1 && rule.mirrors.front() == percent;
}

void add_mirror_patch(Json& patch, const api::Rollout& rollout, const Json& route, std::size_t index,
                      std::int64_t percent) {
  const std::string path = "/spec/rules/" + std::to_string(index) + "/filters";
  const Json& filters = json::array_at(route, path);
  std::vector<std::size_t> ours;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    if (copies_to_canary(rollout, filters[i])) ours.push_back(i);
  }
  if (percent == 0 && !ours.empty() && ours.size() == filters.size()) {
    patch.push_back({{"op", "remove"}, {"path", path}});
    return;
  }
  for (auto at = ours.rbegin(); at != ours.rend(); ++at)
    patch.push_back({{"op", "remove"}, {"path", path + "/" + std::to_string(*at)}});
  if (percent == 0) return;
  const Json& rule = json::object_at(route, "/spec/rules/" + std::to_string(index));
  Json filter = mirror_filter(rollout, rule, percent);
  if (json::find(route, path)) {
    patch.push_back({{"op", "add"}, {"path", path + "/-"}, {"value", std::move(filter)}});
  } else {
    patch.push_back({{"op", "add"}, {"path", path}, {"value", Json::array({std::move(filter)})}});
  }
}

Result<Json> mirror_route_spec(const api::Rollout& rollout, const SeenRoute& source, const std::string& kind,
                               const api::SetMirrorRoute& step) {
  return copy_rules(
      source, [&](const SeenRule&, const Json& rule) { return mirror_rule(rollout, rule, kind, step); });
}

}  // namespace tidegate::rollout
