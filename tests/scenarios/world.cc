// SPDX-License-Identifier: Apache-2.0
#include "tests/scenarios/world.h"

#include <algorithm>
#include <cmath>

#include "base/yaml.h"
#include "rollout/header_routes.h"
#include "rollout/observe.h"
#include "rollout/perform.h"

namespace tidegate::test {
namespace {

constexpr const char* kSpec = R"(
replicas: 4
progressDeadlineSeconds: 60
template:
  metadata: {labels: {app: shop}}
  spec: {containers: [{name: shop, image: "shop:v1"}]}
strategy:
  canary:
    stableService: shop-stable
    canaryService: shop-canary
    trafficRouting: {routes: [{name: shop}]}
)";

std::string set_name(const std::string& revision) { return "shop-" + revision; }

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

World::World() {
  auto parsed = yaml::parse_all(kSpec);
  spec = parsed.value().front().value;
  set_image("v1");
  traffic.known = true;
}

void World::set_image(const std::string& image) {
  auto& holder = deployment.is_null() ? spec : deployment["spec"];
  holder["template"]["spec"]["containers"][0]["image"] = "shop:" + image;
  std::erase_if(images_, [&](const auto& known) { return known.second == image; });
  images_[rollout().revision] = image;
}

api::Rollout World::rollout() const {
  Json read_of = {{"spec", spec}, {"slot", status.value("stableSlot", "")}};
  if (read_spec_ != read_of) {
    read_spec_ = std::move(read_of);
    read_ = rollout::read_rollout(
        {{"apiVersion", "tidegate.dev/v1alpha1"},
         {"kind", "Rollout"},
         {"metadata",
          {{"name", "shop"}, {"namespace", "team"}, {"generation", 1}, {"labels", {{"region", "north"}}}}},
         {"spec", spec},
         {"status", {{"stableSlot", status.value("stableSlot", "")}}}});
  }
  api::Rollout out = read_;
  out.meta.annotations = annotations;
  out.meta.finalizers = finalizers;
  if (deleted) out.meta.deleted = now;
  out.status = decoded_status();
  if (std::holds_alternative<api::WorkloadRef>(out.spec.workload))
    return api::with_deployment(std::move(out), deployment.is_null() ? nullptr : &deployment);
  return out;
}

api::RolloutStatus World::decoded_status() const { return api::decode_rollout_status(status); }

std::int64_t World::endpoints(const std::string& service, const std::string& revision) const {
  const auto found = services.find(service);
  const auto set = sets.find(set_name(revision));
  return found != services.end() && found->second.endpoints == revision && set != sets.end()
             ? set->second.ready
             : 0;
}

Json World::route_document() const {
  Json backends = Json::array();
  const auto add = [&](const char* name, std::int64_t weight) {
    backends.push_back(
        {{"group", ""}, {"kind", "Service"}, {"name", name}, {"port", 80}, {"weight", weight}});
  };
  add("shop-stable", stable_weight);
  if (names_canary) add("shop-canary", canary_weight);
  if (other_weight >= 0) add("shop-other", other_weight);
  for (const auto& [name, weight] : experiment_weights) add(name.c_str(), weight);
  Json with_backends = rule;
  with_backends["backendRefs"] = std::move(backends);
  return {{"metadata",
           {{"name", "shop"}, {"namespace", "team"}, {"resourceVersion", std::to_string(route_version)}}},
          {"spec",
           {{"parentRefs", Json::array({{{"name", "demo"}}})},
            {"hostnames", Json::array({"shop.example.com"})},
            {"rules", Json::array({std::move(with_backends)})}}}};
}

rollout::SeenRoute World::seen_route(const api::Rollout& current) const {
  const auto document = std::make_shared<const Json>(route_document());
  auto seen = rollout::read_route(current, current.spec.canary.routes[0], *document);
  seen.document = document;
  seen.served = served_version == route_version;
  if (!seen.served) seen.not_served = "not served yet";
  return seen;
}

rollout::SeenManagedRoute World::seen_own_route(const rollout::RouteKey& key) const {
  rollout::SeenManagedRoute seen;
  const auto found = own_routes.find(key);
  if (found == own_routes.end()) {
    seen.served = lingering.contains(key);
    return seen;
  }
  const auto& route = found->second;
  seen.exists = seen.ours = true;
  seen.resource_version = std::to_string(route.version);
  seen.document = std::make_shared<const Json>(route.document);
  seen.served = route.served_version == route.version;
  if (!seen.served) seen.not_served = "not served yet";
  return seen;
}

void World::make_pods(Set& set) {
  while (std::ssize(set.pods) > set.ready) {
    const auto newest = std::max_element(set.pods.begin(), set.pods.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
    set.pods.erase(newest);
  }
  const auto created = std::chrono::floor<std::chrono::seconds>(now);  // as in metadata.creationTimestamp
  while (std::ssize(set.pods) < set.ready)
    set.pods[set.revision + "-" + std::to_string(pods_made_++)] = created;
}

std::vector<std::string> World::stale_pods(const Set& set) const {
  std::vector<std::string> out;
  const auto restart = decoded_status().restart;
  for (const auto& [name, created] : set.pods) {
    if (restart && created < restart->at) out.push_back(name);
  }
  return out;
}

std::set<std::string> World::experiments() const {
  std::set<std::string> out;
  for (const auto& [name, set] : sets) {
    if (set.experiment) out.insert(name);
  }
  for (const auto& [name, service] : services) {
    if (service.selects == name) out.insert(name);
  }
  return out;
}

rollout::SeenPart World::seen_experiment(const std::string& name) const {
  rollout::SeenPart out;
  const auto set = sets.find(name);
  const auto service = services.find(name);
  out.has_set = set != sets.end();
  out.has_service = service != services.end();
  if (out.has_set) {
    out.replicas = set->second.replicas;
    out.available = set->second.ready;
  }
  if (out.has_set && out.has_service && service->second.endpoints == name) out.endpoints = out.available;
  if (const auto found = experiment_traffic_.find(name); found != experiment_traffic_.end())
    out.traffic = found->second;
  return out;
}

rollout::Observation World::observe() const {
  rollout::Observation seen;
  seen.now = now;
  seen.pods_known = true;
  for (const auto& name : experiments()) seen.experiments[name] = seen_experiment(name);
  for (const auto& [name, set] : sets) {
    if (!set.experiment)
      seen.replica_sets.push_back(
          {name, set.revision, set.replicas, set.ready, set.ready, set.created, stale_pods(set), 0});
  }
  const auto service = [&](const std::string& name) {
    rollout::SeenService out;
    const auto found = services.find(name);
    if (found == services.end()) return out;
    out.exists = true;
    out.revision = found->second.selects;
    if (const auto ready = endpoints(name, found->second.endpoints))
      out.ready[found->second.endpoints] = ready;
    if (found->second.endpoints.empty() && seen.deployment.available > 0)
      out.ready["?"] = seen.deployment.available;
    return out;
  };
  const api::Rollout current = rollout();
  const auto slot = [&](const std::string& name) {
    rollout::SeenService out{true, rollout::slot_revision(current, name), {}};
    if (const auto found = slots.find(name); found != slots.end()) out.ready[out.revision] = found->second;
    return out;
  };
  if (!deployment.is_null()) {
    seen.deployment = {true, json::int_at(deployment, "spec.replicas", 1),
                       json::int_at(deployment, "status.availableReplicas")};
  }
  const auto& strategy = current.spec.canary;
  seen.stable_service = slots.empty() ? service("shop-stable") : slot(strategy.stable_service);
  seen.canary_service = slots.empty() ? service("shop-canary") : slot(strategy.canary_service);
  for (const auto& [name, value] : sticky) {
    if (name == strategy.stable_service) seen.stable_service.sticky = value;
    if (name == strategy.canary_service) seen.canary_service.sticky = value;
  }
  if (!slots.empty()) rollout::count_slots(current, seen);
  const auto& routes = strategy.routes;
  if (has_route && !routes.empty()) seen.routes[{routes[0].kind, "shop"}] = seen_route(current);
  for (const auto& key : rollout::managed_route_names(current))
    seen.managed_routes[key] = seen_own_route(key);
  for (const auto& [key, route] : own_routes) seen.managed_routes[key] = seen_own_route(key);
  seen.traffic = traffic;
  seen.samples = samples_;
  seen.templates = templates;
  return seen;
}

namespace {

struct Apply {
  World& world;

  bool operator()(const rollout::SetWeights& action) const {
    const Json before = world.route_document();
    const auto patch = rollout::route_patch(action, world.rollout(), before);
    if (!patch || action.resource_version != std::to_string(world.route_version)) return false;
    Json rule = before.patch(*patch)["spec"]["rules"][0];
    world.experiment_weights.clear();
    for (const auto& backend : rule["backendRefs"]) {
      const std::string name = backend["name"];
      if (name != "shop-stable" && name != "shop-canary" && name != "shop-other") {
        world.experiment_weights.emplace_back(name, backend["weight"]);
        continue;
      }
      (name == "shop-stable"   ? world.stable_weight
       : name == "shop-canary" ? world.canary_weight
                               : world.other_weight) = backend["weight"];
      world.names_canary = world.names_canary || name == "shop-canary";
    }
    rule.erase("backendRefs");
    world.rule = std::move(rule);
    ++world.route_version;
    return true;
  }
  bool operator()(const rollout::PutRoute& action) const {
    const auto found = world.own_routes.find(action.route);
    const std::string version = found == world.own_routes.end() ? "" : std::to_string(found->second.version);
    if (action.resource_version != version) return false;
    auto& route = world.own_routes[action.route];
    route.document = *action.document;
    ++route.version;
    world.lingering.erase(action.route);
    return true;
  }
  bool operator()(const rollout::DeleteRoute& action) const {
    if (world.own_routes.erase(action.route) > 0) world.lingering.insert(action.route);
    return true;
  }
  bool operator()(const rollout::CreateReplicaSet& action) const {
    const World::Set set{action.revision, action.replicas, 0, world.now, false};
    world.sets.try_emplace(set_name(action.revision), set);
    return true;
  }
  bool operator()(const rollout::ScaleReplicaSet& action) const {
    const auto set = world.sets.find(action.name);
    if (set == world.sets.end()) return false;
    set->second.replicas = action.replicas;
    set->second.ready = std::min(set->second.ready, action.replicas);
    world.make_pods(set->second);
    return true;
  }
  bool operator()(const rollout::DeleteReplicaSet& action) const {
    world.sets.erase(action.name);
    return true;
  }
  bool operator()(const rollout::EnsureService& action) const {
    world.services[action.name].selects = action.revision;
    return true;
  }
  bool operator()(const rollout::SetSticky& action) const {
    world.sticky[action.service] = action.value;
    return true;
  }
  bool operator()(const rollout::CreateExperimentSet& action) const {
    if (!world.sets.contains(set_name(action.revision))) return false;
    const World::Set set{action.name, action.replicas, 0, world.now, true};
    world.sets.try_emplace(action.name, set);
    return true;
  }
  bool operator()(const rollout::CreateExperimentService& action) const {
    world.services[action.name].selects = action.name;
    return true;
  }
  bool operator()(const rollout::DeleteService& action) const {
    world.services.erase(action.name);
    return true;
  }
  bool operator()(const rollout::ReleaseService& action) const {
    world.services[action.name].selects.clear();
    return true;
  }
  bool operator()(const rollout::ScaleDeployment& action) const {
    world.deployment["spec"]["replicas"] = action.replicas;
    return true;
  }
  bool operator()(const rollout::DeletePod& action) const {
    for (auto& [name, set] : world.sets) {
      if (set.pods.erase(action.name) > 0) --set.ready;
    }
    return true;
  }
  bool operator()(const rollout::AddFinalizer&) const {
    world.finalizers = {api::kRestoreFinalizer};
    return true;
  }
  bool operator()(const rollout::RemoveFinalizer&) const {
    world.finalizers.clear();
    return true;
  }
  bool operator()(const rollout::RemoveAnnotation& action) const {
    world.annotations.erase(action.key);
    return true;
  }
};

}  // namespace

bool World::apply(const rollout::Action& action) { return std::visit(Apply{*this}, action); }

bool World::write_status(const api::RolloutStatus& next) {
  if (next == decoded_status()) return false;
  status = api::encode_rollout_status(next);
  return true;
}

void World::measure(const std::vector<analysis::Measure>& due) {
  due_ = due;
  std::erase_if(samples_, [&](const auto& sample) {
    return std::none_of(due.begin(), due.end(),
                        [&](const auto& measure) { return measure.id == sample.first; });
  });
}

bool World::answers_wait() const {
  return std::any_of(due_.begin(), due_.end(),
                     [&](const auto& measure) { return answers.contains(measure.metric); });
}

void World::settle() {
  for (const auto& measure : due_) {
    if (const auto answer = answers.find(measure.metric); answer != answers.end())
      samples_.emplace(measure.id, answer->second);
  }
  for (auto& [name, set] : sets) {
    const auto limit = most_ready.find(set.revision);
    set.ready = limit == most_ready.end() ? set.replicas : std::min(set.replicas, limit->second);
    make_pods(set);
  }
  if (!deployment.is_null()) deployment["status"]["availableReplicas"] = deployment["spec"]["replicas"];
  for (auto& [name, service] : services) service.endpoints = service.selects;
  if (!serving) return;
  for (auto& [key, route] : own_routes) route.served_version = route.version;
  lingering.clear();
  served_version = route_version;
  served_share_ = canary_share();
  served_experiments_.clear();
  for (const auto& [name, weight] : experiment_weights) served_experiments_[name] = share_of(weight);
}

double World::share_of(std::int64_t weight) const {
  double total = static_cast<double>(stable_weight + canary_weight);
  for (const auto& [name, other] : experiment_weights) total += static_cast<double>(other);
  return total > 0 ? static_cast<double>(weight) / total : 0;
}

double World::canary_share() const { return share_of(canary_weight); }

void World::send(std::uint64_t requests, double canary_failure_rate, double stable_failure_rate) {
  const auto part = [&](double share) {
    return static_cast<std::uint64_t>(std::llround(static_cast<double>(requests) * share));
  };
  const std::uint64_t canary = part(served_share_);
  std::uint64_t stable = requests - canary;
  const auto add = [](metrics::BackendTraffic& traffic, std::uint64_t count, double rate) {
    traffic.requests += count;
    traffic.failures += static_cast<std::uint64_t>(std::llround(static_cast<double>(count) * rate));
    traffic.duration_counts[2] += count;
  };
  add(traffic.canary, canary, canary_failure_rate);
  // Versions of an experiment fail as the version does that they run.
  const std::string of_canary = set_name(rollout().revision);
  for (const auto& [name, share] : served_experiments_) {
    const std::uint64_t count = std::min(stable, part(share));
    stable -= count;
    add(experiment_traffic_[name], count,
        name.starts_with(of_canary) ? canary_failure_rate : stable_failure_rate);
  }
  add(traffic.stable, stable, stable_failure_rate);
}

std::string World::readable(std::string text) const {
  for (const auto& [revision, image] : images_) replace_all(text, revision, image);
  return text;
}

std::string World::revision_of(const std::string& image) const {
  for (const auto& [revision, tag] : images_) {
    if (tag == image) return revision;
  }
  return {};
}

}  // namespace tidegate::test
