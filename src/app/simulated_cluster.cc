// SPDX-License-Identifier: Apache-2.0
#include "app/simulated_cluster.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "rollout/header_routes.h"
#include "rollout/observe.h"
#include "rollout/perform.h"
#include "rollout/validate.h"

namespace tidegate::app {
namespace {

// A route as somebody might have written it: all requests to the stable Service.
Json route_document(const api::Rollout& rollout, const api::RouteReference& reference) {
  Json rules = Json::array();
  const auto add = [&](const std::string& name) {
    Json rule = {{"backendRefs", Json::array({{{"group", ""},
                                               {"kind", "Service"},
                                               {"name", rollout.spec.canary.stable_service},
                                               {"port", 80},
                                               {"weight", 1}}})}};
    if (!name.empty()) rule["name"] = name;
    rules.push_back(std::move(rule));
  };
  for (const auto& name : reference.rules) add(name);
  if (rules.empty()) add("");
  return {{"metadata", {{"name", reference.name}, {"namespace", rollout.meta.ns}, {"resourceVersion", "1"}}},
          {"spec", {{"parentRefs", Json::array({{{"name", "gateway"}}})}, {"rules", std::move(rules)}}}};
}

}  // namespace

SimulatedCluster::SimulatedCluster(Json rollout, analysis::Templates templates, TimePoint begin)
    : document_(std::move(rollout)), templates_(std::move(templates)), now_(begin) {
  document_["metadata"]["generation"] = 1;
  if (json::string_at(document_, "metadata.namespace").empty())
    document_["metadata"]["namespace"] = "default";
  document_.erase("status");
  traffic_.known = true;
  const api::Rollout read = this->rollout();
  for (const auto& reference : read.spec.canary.routes)
    routes_[{reference.kind, reference.name}].document = route_document(read, reference);
}

api::Rollout SimulatedCluster::rollout() const { return rollout::read_rollout(document_); }

void SimulatedCluster::ship(const std::string& version) {
  document_["spec"]["template"]["metadata"]["annotations"]["tidegate.dev/simulated-version"] = version;
  document_["metadata"]["generation"] = json::int_at(document_, "metadata.generation") + 1;
}

void SimulatedCluster::annotate(const std::string& key, const std::string& value) {
  document_["metadata"]["annotations"][key] = value;
}

std::int64_t SimulatedCluster::ready_behind(const Service& service) const {
  for (const auto& [name, set] : sets_) {
    if (set.revision == service.endpoints || name == service.endpoints) return set.ready;
  }
  return 0;
}

rollout::SeenService SimulatedCluster::seen_service(const std::string& name) const {
  rollout::SeenService out;
  const auto found = services_.find(name);
  if (found == services_.end()) return out;
  out.exists = true;
  out.revision = found->second.selects;
  if (const auto ready = ready_behind(found->second)) out.ready[found->second.endpoints] = ready;
  return out;
}

rollout::Observation SimulatedCluster::observe() const {
  const api::Rollout current = rollout();
  rollout::Observation seen;
  seen.now = now_;
  for (const auto& [name, set] : sets_) {
    if (!set.experiment)
      seen.replica_sets.push_back(
          {name, set.revision, set.replicas, set.ready, set.ready, set.created, {}, 0});
    if (!set.experiment) continue;
    const auto service = services_.find(name);
    rollout::SeenPart part;
    part.has_set = true;
    part.replicas = set.replicas;
    part.available = set.ready;
    part.has_service = service != services_.end();
    if (part.has_service && service->second.endpoints == name) part.endpoints = set.ready;
    seen.experiments[name] = std::move(part);
  }
  seen.stable_service = seen_service(current.spec.canary.stable_service);
  seen.canary_service = seen_service(current.spec.canary.canary_service);
  for (const auto& reference : current.spec.canary.routes) {
    const Route& route = routes_.at({reference.kind, reference.name});
    auto one = rollout::read_route(current, reference, route.document);
    one.document = std::make_shared<const Json>(route.document);
    one.served = route.served == route.version;
    if (!one.served) one.not_served = "not served yet";
    seen.routes[{reference.kind, reference.name}] = std::move(one);
  }
  for (const auto& key : rollout::managed_route_names(current)) seen.managed_routes[key] = {};
  for (const auto& [key, route] : own_routes_) {
    rollout::SeenManagedRoute one;
    one.exists = one.ours = true;
    one.resource_version = std::to_string(route.version);
    one.document = std::make_shared<const Json>(route.document);
    one.served = route.served == route.version;
    seen.managed_routes[key] = std::move(one);
  }
  seen.traffic = traffic_;
  seen.samples = samples_;
  seen.templates = templates_;
  return seen;
}

struct SimulatedCluster::Applier {
  SimulatedCluster& cluster;

  void operator()(const rollout::SetWeights& action) const {
    Route& route = cluster.routes_.at(action.route);
    const auto patch = rollout::route_patch(action, cluster.rollout(), route.document);
    if (!patch) return;
    route.document = route.document.patch(*patch);
    route.document["metadata"]["resourceVersion"] = std::to_string(++route.version);
  }
  void operator()(const rollout::PutRoute& action) const {
    Route& route = cluster.own_routes_[action.route];
    route.document = *action.document;
    ++route.version;
  }
  void operator()(const rollout::DeleteRoute& action) const { cluster.own_routes_.erase(action.route); }
  void operator()(const rollout::CreateReplicaSet& action) const {
    const std::string name = cluster.rollout().meta.name + "-" + action.revision;
    cluster.sets_.try_emplace(name, Set{action.revision, action.replicas, 0, cluster.now_, false});
  }
  void operator()(const rollout::ScaleReplicaSet& action) const {
    Set& set = cluster.sets_[action.name];
    set.replicas = action.replicas;
    set.ready = std::min(set.ready, action.replicas);
  }
  void operator()(const rollout::DeleteReplicaSet& action) const { cluster.sets_.erase(action.name); }
  void operator()(const rollout::EnsureService& action) const {
    cluster.services_[action.name].selects = action.revision;
  }
  void operator()(const rollout::SetSticky&) const {}  // of all users alike, shares tell enough
  void operator()(const rollout::CreateExperimentSet& action) const {
    cluster.sets_.try_emplace(action.name, Set{action.name, action.replicas, 0, cluster.now_, true});
  }
  void operator()(const rollout::CreateExperimentService& action) const {
    cluster.services_[action.name].selects = action.name;
  }
  void operator()(const rollout::DeleteService& action) const { cluster.services_.erase(action.name); }
  void operator()(const rollout::ReleaseService& action) const {
    cluster.services_[action.name].selects.clear();
  }
  void operator()(const rollout::ScaleDeployment&) const {}
  void operator()(const rollout::DeletePod&) const {}
  void operator()(const rollout::AddFinalizer&) const {}
  void operator()(const rollout::RemoveFinalizer&) const {}
  void operator()(const rollout::RemoveAnnotation& action) const {
    cluster.document_["metadata"]["annotations"].erase(action.key);
  }
};

void SimulatedCluster::apply(const rollout::Action& action) { std::visit(Applier{*this}, action); }

bool SimulatedCluster::write_status(const api::RolloutStatus& next) {
  Json status = api::encode_rollout_status(next);
  if (document_.contains("status") && document_["status"] == status) return false;
  document_["status"] = std::move(status);
  return true;
}

void SimulatedCluster::measure(const std::vector<analysis::Measure>& due) {
  due_ = due;
  std::erase_if(samples_, [&](const auto& sample) {
    return std::none_of(due.begin(), due.end(), [&](const auto& one) { return one.id == sample.first; });
  });
}

// The canary's part of the weights; in blue-green, whether the active Service has the new revision.
double SimulatedCluster::share_on_routes() const {
  const api::Rollout current = rollout();
  const auto& strategy = current.spec.canary;
  if (strategy.promotion == api::Promotion::kSelector) {
    const auto active = services_.find(strategy.stable_service);
    return active != services_.end() && active->second.endpoints == current.revision ? 1 : 0;
  }
  if (routes_.empty()) return 0;
  double canary = 0, all = 0;
  for (const auto& backend : json::array_at(routes_.begin()->second.document, "/spec/rules/0/backendRefs")) {
    const auto weight = static_cast<double>(json::int_at(backend, "weight", 1));
    const std::string name = json::string_at(backend, "name");
    const auto service = services_.find(name);
    const bool new_behind = service != services_.end() && service->second.endpoints == current.revision;
    all += weight;
    if (name == strategy.canary_service || new_behind) canary += weight;
  }
  return all > 0 ? canary / all : 0;
}

// Whole requests and whole failures: what is left over comes later.
void SimulatedCluster::answer(metrics::BackendTraffic& traffic, double& owed, double& owed_failures,
                              double requests, const Behaviour& how) {
  owed += requests;
  const auto whole = static_cast<std::uint64_t>(owed);
  owed -= static_cast<double>(whole);
  owed_failures += static_cast<double>(whole) * how.failing;
  const auto failed = static_cast<std::uint64_t>(owed_failures);
  owed_failures -= static_cast<double>(failed);
  const double seconds = std::chrono::duration<double>(how.latency).count();
  const auto bucket =
      std::lower_bound(metrics::kDurationBounds.begin(), metrics::kDurationBounds.end(), seconds) -
      metrics::kDurationBounds.begin();
  traffic.requests += whole;
  traffic.failures += failed;
  traffic.duration_counts[static_cast<std::size_t>(bucket)] += whole;
  traffic.duration_sum_seconds += seconds * static_cast<double>(whole);
}

void SimulatedCluster::tick(Duration passed, double requests, const Behaviour& stable,
                            const Behaviour& canary) {
  now_ += passed;
  for (auto& [name, set] : sets_) set.ready = set.replicas;
  for (auto& [name, service] : services_) service.endpoints = service.selects;
  for (auto* routes : {&routes_, &own_routes_}) {
    for (auto& [key, route] : *routes) route.served = route.version;
  }
  for (const auto& measure : due_)
    samples_.try_emplace(measure.id, analysis::Sample{{}, metrics::Outcome::kSuccessful, "assumed to pass"});
  served_share_ = share_on_routes();
  answer(traffic_.canary, owed_[0], owed_[1], requests * served_share_, canary);
  answer(traffic_.stable, owed_[2], owed_[3], requests * (1 - served_share_), stable);
}

}  // namespace tidegate::app
