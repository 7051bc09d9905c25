// SPDX-License-Identifier: Apache-2.0
#include "rollout/header_routes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "rollout/limits.h"
#include "rollout/mirrors.h"
#include "rollout/weights.h"

namespace tidegate::rollout {
namespace {

// The first route of a kind keeps the short name; further ones of the kind add their own.
std::string managed_name(const api::Rollout& rollout, const api::RouteReference& route,
                         const std::string& step) {
  const auto& routes = rollout.spec.canary.routes;
  const auto first =
      std::find_if(routes.begin(), routes.end(), [&](const auto& other) { return other.kind == route.kind; });
  std::string name = rollout.meta.name + "-" + step;
  if (first != routes.end() && first->name != route.name) name += "-" + route.name;
  return name;
}

std::string escaped(const std::string& literal) {
  constexpr std::string_view kSpecial = R"(\.+*?()|[]{}^$)";
  std::string out;
  for (const char c : literal) {
    if (kSpecial.find(c) != kSpecial.npos) out += '\\';
    out += c;
  }
  return out;
}

Json header_match(const api::HeaderMatch& match) {
  using How = api::HeaderMatch::How;
  // Anchored, because implementations differ in whether an expression has to match the whole value.
  const std::string value = match.how == How::kPrefix ? "^" + escaped(match.value) + ".*" : match.value;
  return {{"type", match.how == How::kExact ? "Exact" : "RegularExpression"},
          {"name", match.header},
          {"value", value}};
}

// What a rule without matches stands for, with the defaults of the CRD, so that what is read back is equal.
Json default_match(const std::string& kind) {
  if (kind == "GRPCRoute") return Json::object();
  return {{"path", {{"type", "PathPrefix"}, {"value", "/"}}}};
}

// The canary as the rule itself has it, or as it would be added: like stable.
Json canary_backend(const api::Rollout& rollout, const SeenRule& seen, const Json& rule) {
  const Json& backends = json::array_at(rule, "backendRefs");
  Json backend = backends[seen.canary_index.value_or(seen.stable_index)];
  backend["name"] = rollout.spec.canary.canary_service;
  backend["weight"] = 1;
  return backend;
}

Result<Json> header_rule(const api::Rollout& rollout, const SeenRule& seen, const Json& source,
                         const std::string& kind, const api::SetHeaderRoute& step) {
  Json rule = source;
  remove_copies_to_canary(rollout, rule);
  rule["matches"] = matches_of(source, kind);
  for (auto& match : rule["matches"]) {
    if (const auto added = add_headers(match, step.match); !added) return added.error();
  }
  rule["backendRefs"] = Json::array({canary_backend(rollout, seen, source)});
  return rule;
}

using WantedRoutes = std::map<RouteKey, std::shared_ptr<const Json>>;

void add_problem(Turn& turn, std::string value, std::string expectation) {
  turn.problems.push_back({"spec.strategy.canary.steps", std::move(value), std::move(expectation)});
}

// Where one can't be made, `waiting` says so.
Json owned_document(const api::Rollout& rollout, const RouteKey& key, Json spec) {
  return Json{{"apiVersion", "gateway.networking.k8s.io/v1"},
              {"kind", key.kind},
              {"metadata",
               {{"name", key.name},
                {"namespace", rollout.meta.ns},
                {"labels", {{kManagedBy, "tidegate"}}},
                {"ownerReferences", Json::array({owner_of(rollout)})}}},
              {"spec", std::move(spec)}};
}

// What is wanted, and for what no room was found: `waiting` says so.
struct Wanting {
  Turn& turn;
  std::string& waiting;
  WantedRoutes out;

  template <typename Step, typename MakeSpec>
  void add(const Step& step, MakeSpec make_spec) {
    for (const auto& reference : turn.canary().routes) {
      const auto found = turn.seen.routes.find({reference.kind, reference.name});
      if (found == turn.seen.routes.end() || found->second.rules.empty()) continue;
      auto spec = make_spec(turn.rollout, found->second, reference.kind, step);
      if (!spec) {
        const std::string name = api::describe(step);
        add_problem(turn, name,
                    "a route for which " + to_string(found->first) + " leaves room: " + spec.error().detail);
        waiting = "room for " + name;
        continue;
      }
      const RouteKey key{reference.kind, managed_name(turn.rollout, reference, step.name)};
      out[key] = std::make_shared<const Json>(owned_document(turn.rollout, key, std::move(*spec)));
    }
  }
};

WantedRoutes wanted_routes(Turn& turn, std::string& waiting) {
  Wanting wanting{turn, waiting, {}};
  for (const auto* step : header_routes_in_effect(turn)) wanting.add(*step, header_route_spec);
  for (const auto* step : mirrors_in_effect(turn)) {
    if (!step->match.empty()) wanting.add(*step, mirror_route_spec);
  }
  return std::move(wanting.out);
}

const api::ManagedRouteStatus* status_of(const Turn& turn, const RouteKey& key) {
  for (const auto& route : turn.rollout.status.managed_routes) {
    if (route.kind == key.kind && route.name == key.name) return &route;
  }
  return nullptr;
}

// What is waited for with one wanted route; empty: nothing.
std::string drive_wanted(Turn& turn, const RouteKey& key, const std::shared_ptr<const Json>& wanted) {
  const auto found = turn.seen.managed_routes.find(key);
  const SeenManagedRoute* seen = found == turn.seen.managed_routes.end() ? nullptr : &found->second;
  const bool exists = seen && seen->exists;
  if (exists && !seen->ours) {
    add_problem(turn, to_string(key), "another name for the step: this route is not the Rollout's");
    return to_string(key) + " to be given way by its owner";
  }
  const Json& spec = wanted->at("spec");
  const std::string hash = text::safe_hash(json::dump(spec));
  const api::ManagedRouteStatus* before = status_of(turn, key);
  const bool agrees = exists && json::object_at(*seen->document, "spec") == spec;
  const bool served = agrees && seen->served;
  if (before && before->served && !served) turn.progressed();  // a new wait, with a deadline of its own
  turn.next.managed_routes.push_back({key.kind, key.name, hash, served});
  if (agrees) return served ? "" : to_string(key) + ": " + seen->not_served;
  const bool ours_changed = before && before->hash == hash;
  if (ours_changed &&
      !may_repair(turn, to_string(key),
                  to_string(key) + " was " + (exists ? "changed" : "deleted") + " by someone else; set back"))
    return "its routes to be left alone";
  turn.actions.emplace_back(PutRoute{key, exists ? seen->resource_version : "", wanted});
  return to_string(key) + " to be served";
}

}  // namespace

Json owner_of(const api::Rollout& rollout) {
  Json owner = api::to_json({api::kRollouts.api_version(), std::string(api::kRollouts.kind),
                             rollout.meta.name, rollout.meta.uid, true});
  owner["blockOwnerDeletion"] = true;
  return owner;
}

std::vector<RouteKey> managed_route_names(const api::Rollout& rollout) {
  std::vector<RouteKey> out;
  for (const auto& step : rollout.spec.canary.steps) {
    const auto* header = std::get_if<api::SetHeaderRoute>(&step);
    const auto* mirror = std::get_if<api::SetMirrorRoute>(&step);
    if (!header && !(mirror && !mirror->match.empty())) continue;
    for (const auto& route : rollout.spec.canary.routes)
      out.push_back({route.kind, managed_name(rollout, route, header ? header->name : mirror->name)});
  }
  for (const auto& route : rollout.status.managed_routes) out.push_back({route.kind, route.name});
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<const api::SetHeaderRoute*> header_routes_in_effect(const Turn& turn) {
  if (turn.ready_canaries() == 0) return {};
  return header_routes_set(turn);
}

std::vector<const api::SetHeaderRoute*> header_routes_set(const Turn& turn) {
  std::vector<const api::SetHeaderRoute*> out;
  if (turn.next.stage != api::Stage::kSteps && turn.next.stage != api::Stage::kPromoting) return out;
  const auto& steps = turn.canary().steps;
  for (std::int64_t i = 0; i <= turn.next.current_step_index && i < static_cast<std::int64_t>(steps.size());
       ++i) {
    const auto* step = std::get_if<api::SetHeaderRoute>(&steps[static_cast<std::size_t>(i)]);
    if (!step) continue;
    std::erase_if(out, [&](const auto* earlier) { return earlier->name == step->name; });
    if (!step->match.empty()) out.push_back(step);
  }
  return out;
}

Json matches_of(const Json& rule, const std::string& kind) {
  const Json& matches = json::array_at(rule, "matches");
  return matches.empty() ? Json::array({default_match(kind)}) : matches;
}

Result<void> add_headers(Json& match, const std::vector<api::HeaderMatch>& headers) {
  Json& list = match["headers"];
  if (!list.is_array()) list = Json::array();
  for (const auto& header : headers) {
    const Json wanted = header_match(header);
    bool there = false;
    for (const auto& other : list) {
      if (text::lower(json::string_at(other, "name")) != text::lower(header.header)) continue;
      if (json::string_at(other, "value") != wanted["value"] ||
          json::string_at(other, "type", "Exact") != wanted["type"]) {
        return Error{ErrorCode::kInvalid, "has a match on header " + header.header + " of its own"};
      }
      there = true;
    }
    if (!there) list.push_back(wanted);
  }
  if (list.size() > kMaxMatchHeaders) {
    return Error{ErrorCode::kLimit, "has a match that would have " + std::to_string(list.size()) +
                                        " headers; a route allows " + std::to_string(kMaxMatchHeaders)};
  }
  return {};
}

Result<Json> copy_rules(const SeenRoute& source,
                        const std::function<Result<Json>(const SeenRule& seen, const Json& rule)>& copy) {
  Json spec = json::object_at(*source.document, "spec");
  const Json& rules = json::array_at(*source.document, "spec.rules");
  Json copies = Json::array();
  std::size_t matches = 0;
  for (const auto& seen : source.rules) {
    auto rule = copy(seen, rules[seen.index]);
    if (!rule) {
      const std::string name = json::string_at(rules[seen.index], "name");
      return context("rule " + (name.empty() ? std::to_string(seen.index) : name), rule.error());
    }
    matches += (*rule)["matches"].size();
    if (!(*rule)["matches"].empty()) copies.push_back(std::move(*rule));
  }
  if (matches > kMaxRouteMatches) {
    return Error{ErrorCode::kLimit, "it would have " + std::to_string(matches) + " matches; a route allows " +
                                        std::to_string(kMaxRouteMatches)};
  }
  if (copies.empty()) return Error{ErrorCode::kInvalid, "no rule has requests that match"};
  spec["rules"] = std::move(copies);
  return spec;
}

Result<Json> header_route_spec(const api::Rollout& rollout, const SeenRoute& source, const std::string& kind,
                               const api::SetHeaderRoute& step) {
  return copy_rules(source, [&](const SeenRule& seen, const Json& rule) {
    return header_rule(rollout, seen, rule, kind, step);
  });
}

std::string drive_managed_routes(Turn& turn) {
  turn.next.managed_routes.clear();
  std::string waiting;
  const WantedRoutes wanted = wanted_routes(turn, waiting);
  for (const auto& [key, route] : wanted) {
    std::string missing = drive_wanted(turn, key, route);
    if (waiting.empty()) waiting = std::move(missing);
  }
  for (const auto& [key, seen] : turn.seen.managed_routes) {
    if (wanted.contains(key)) continue;
    if (seen.exists && seen.ours) turn.actions.emplace_back(DeleteRoute{key});
    const bool going = (seen.exists && seen.ours) || (!seen.exists && seen.served);
    if (!going) continue;
    turn.next.managed_routes.push_back({key.kind, key.name, "", false});
    if (waiting.empty()) waiting = "the data plane to let go of " + to_string(key);
  }
  return waiting;
}

}  // namespace tidegate::rollout
