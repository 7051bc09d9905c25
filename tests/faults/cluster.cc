// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/cluster.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/core.h"
#include "api/rollout.h"
#include "api/routes.h"
#include "base/yaml.h"
#include "session/responder.h"

namespace tidegate::test {
namespace {

std::string target_of(const api::Resource& resource, const api::Key& key) {
  const std::string group = resource.group.empty() ? "/api/" : "/apis/" + std::string(resource.group) + "/";
  return group + std::string(resource.version) + (key.ns.empty() ? "" : "/namespaces/" + key.ns) + "/" +
         std::string(resource.plural) + (key.name.empty() ? "" : "/" + key.name);
}

apiserver::ObjectId id_of(const api::Resource& resource, const api::Key& key) {
  const std::string plural(resource.plural), group(resource.group);
  return {group.empty() ? plural : plural + "." + group, key.ns, key.name};
}

// Keeps what a handler answers at once.
class Answer final : public session::ServerStream {
 public:
  void set_events(session::ServerStreamEvents*) override {}
  void send_continue() override {}
  void send_head(const http::ResponseHead& head, bool) override { status = head.status; }
  void send_data(std::string_view data) override { body += data; }
  void send_end(const http::Headers&) override {}
  void reset() override {}
  std::size_t unsent_bytes() const override { return 0; }
  void pause() override {}
  void resume() override {}
  const std::string& client_address() const override { return address_; }
  std::string_view client_common_name() const override { return {}; }
  std::string_view server_name() const override { return {}; }

  int status = 0;
  std::string body;

 private:
  const std::string address_ = "127.0.0.1:1";
};

const std::string kRoutes = "httproutes.gateway.networking.k8s.io";
const std::string kSets = "replicasets.apps";
const std::string kSlices = "endpointslices.discovery.k8s.io";

}  // namespace

class Cluster::Traffic final : public metrics::TrafficSource {
 public:
  struct Served {
    double canary = 0;  // share
    std::string stable_service, canary_service;
  };
  const metrics::TrafficCounts& counts() const override { return counts_; }
  std::int64_t served_generation(const std::string&, const std::string&, const std::string&) const override {
    return 0;
  }

  void add(const std::string& ns, const std::string& route, const std::string& service,
           std::uint64_t requests, bool fails) {
    auto& sum = counts_[{"HTTPRoute", ns, route, ns, service}];
    sum.requests += requests;
    sum.failures += fails ? requests : 0;
    sum.duration_counts[2] += requests;
  }

  std::map<api::Key, Served> served;
  std::map<api::Key, bool> bad;  // by Service: what it selects has a bad image

 private:
  metrics::TrafficCounts counts_;
};

Cluster::Cluster() {
  auto storage = apiserver::Storage::open(dir_.path() + "/state.db");
  EXPECT_TRUE(storage) << storage.error().detail;
  storage_ = std::move(*storage);
  api_ = std::make_unique<apiserver::Api>(*storage_, scheduler_);
  EXPECT_TRUE(api_->prepare());
  server_ = std::make_unique<FaultyServer>(loop_.io(), scheduler_,
                                           [this](session::Request request, session::Responder responder) {
                                             api_->handle(std::move(request), std::move(responder));
                                           });
  traffic_ = std::make_unique<Traffic>();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(TIDEGATE_CRDS)) {
    if (entry.path().extension() != ".yaml") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const auto documents = yaml::parse_all(text.str());
    EXPECT_TRUE(documents) << entry.path();
    for (const auto& document : *documents)
      call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", document.value);
  }
  reacted_ = storage_->revision();
  flowed_ = now();
}

Cluster::~Cluster() {
  server_.reset();
  loop_.io().restart();
  loop_.io().poll();
}

const metrics::TrafficSource& Cluster::traffic() const { return *traffic_; }

std::unique_ptr<kube::Client> Cluster::client(const std::string& agent) {
  kube::ClientConfig config;
  config.address = server_->address();
  config.authority = net::to_string(server_->address());
  config.user_agent = agent;
  config.seed = 1;
  return std::make_unique<kube::Client>(loop_.io(), scheduler_, std::move(config));
}

Json Cluster::call(const std::string& method, const std::string& target, const Json& body) {
  static const session::HttpServer::Options options;
  const session::HttpServer::Handler handler = [this](session::Request request,
                                                      session::Responder responder) {
    api_->handle(std::move(request), std::move(responder));
  };
  http::RequestHead head;
  head.method = method;
  head.target = target;
  head.headers.set("Content-Type", method == "PATCH" ? "application/merge-patch+json" : "application/json");
  head.headers.set("User-Agent", "people");
  auto answer = std::make_shared<Answer>();
  auto answering = std::make_shared<session::Answering>(std::move(head), answer, options, handler);
  answering->start(false);
  if (!body.is_null()) answering->on_data(json::dump(body));
  answering->on_end({});
  EXPECT_LT(answer->status, 300) << method << " " << target << ": " << answer->body;
  return json::parse(answer->body).value_or(Json());
}

void Cluster::create(const Json& object) {
  const std::string kind = json::string_at(object, "kind");
  for (const auto& resource : {api::kRollouts, api::kHttpRoutes, api::kServices, api::kReplicaSets,
                               api::kDeployments, api::kNamespaces}) {
    if (kind != resource.kind) continue;
    call("POST", target_of(resource, {json::string_at(object, "metadata.namespace"), ""}), object);
    return;
  }
  ADD_FAILURE() << "no resource for " << kind;
}

void Cluster::merge(const api::Resource& resource, const api::Key& key, const Json& patch) {
  call("PATCH", target_of(resource, key), patch);
}

void Cluster::annotate(const api::Key& rollout, const std::string& key, const std::string& value) {
  merge(api::kRollouts, rollout, {{"metadata", {{"annotations", {{key, value}}}}}});
}

Json Cluster::get(const api::Resource& resource, const api::Key& key) const {
  const auto stored = storage_->get(id_of(resource, key));
  return stored ? stored->parse() : Json();
}

std::vector<Json> Cluster::list(const api::Resource& resource, const std::string& ns) const {
  std::vector<Json> out;
  for (const auto& [id, stored] : storage_->list(id_of(resource, {}).resource, ns))
    out.push_back(stored->parse());
  return out;
}

bool Cluster::run_until(const std::function<bool()>& holds, Duration at_most) {
  const TimePoint end = now() + at_most;
  std::uint64_t looked = 0;
  TimePoint looked_at{};
  for (;;) {
    if (looked != storage_->revision() || looked_at != now()) {
      looked = storage_->revision();
      looked_at = now();
      if (holds()) return true;
      if (looked_at > end) return false;
    }
    turn();
  }
}

void Cluster::run_for(Duration time) {
  const TimePoint end = now() + time;
  run_until([&] { return now() >= end; }, time + step_);
}

void Cluster::turn() {
  loop_.io().restart();
  scheduler_.run_posted();
  if (loop_.io().poll() > 0) return react();
  react();
  if (loop_.io().run_one_for(std::chrono::milliseconds(1)) > 0) return;
  scheduler_.advance(step_);
  flow();
}

void Cluster::react() {
  if (reacted_ == storage_->revision()) return;
  const auto changes = storage_->changes_since(reacted_);
  ASSERT_TRUE(changes) << "too many changes at once";
  reacted_ = storage_->revision();
  std::set<std::string> moved;
  for (const auto& change : *changes) {
    if (on_change) on_change(change);
    if (change.id.resource == kSets || change.id.resource == "services") moved.insert(change.id.ns);
    if (!change.now) continue;
    if (change.id.resource == kSets) make_ready(change.id, *change.now);
    if (change.id.resource == kRoutes) accept_route(change.id, *change.now);
  }
  for (const auto& ns : moved) make_endpoints(ns);
}

void Cluster::make_ready(const apiserver::ObjectId& id, const apiserver::Stored& stored) {
  const auto current = storage_->get(id);
  if (!current || current->revision != stored.revision) return;
  Json object = stored.parse();
  std::int64_t ready = json::int_at(object, "spec.replicas");
  if (const auto limit = most_ready.find(id.name); limit != most_ready.end())
    ready = std::min(ready, limit->second);
  const Json status = {{"replicas", json::int_at(object, "spec.replicas")},
                       {"readyReplicas", ready},
                       {"availableReplicas", ready},
                       {"observedGeneration", json::int_at(object, "metadata.generation")}};
  if (object["status"] == status) return;
  object["status"] = status;
  EXPECT_TRUE(storage_->put(id, std::move(object)));
}

void Cluster::make_endpoints(const std::string& ns) {
  struct Set {
    std::string name;
    std::int64_t ready;
    bool bad;
  };
  std::map<std::string, Set> sets;  // by revision and its app
  for (const auto& [id, stored] : storage_->list(kSets, ns)) {
    const Json object = stored->parse();
    const auto labels = stored->labels;
    const std::string image = json::string_at(object, "/spec/template/spec/containers/0/image");
    const auto experiment = labels.find(api::kExperimentLabel);
    const std::string key = experiment != labels.end()
                                ? experiment->second
                                : labels.at("app") + "/" + labels.at(api::kRevisionLabel);
    sets[key] = {id.name, json::int_at(object, "status.readyReplicas"),
                 image.find("bad") != std::string::npos};
  }
  for (const auto& [id, stored] : storage_->list("services", ns)) {
    const Json selector = json::object_at(stored->parse(), "spec.selector");
    const std::string key = selector.value(
        api::kExperimentLabel, selector.value("app", "") + "/" + selector.value(api::kRevisionLabel, ""));
    const auto found = sets.find(key);
    Json endpoints = Json::array();
    for (std::int64_t i = 0; found != sets.end() && i < found->second.ready; ++i) {
      endpoints.push_back(
          {{"addresses", {"127.0.0.1"}},
           {"conditions", {{"ready", true}}},
           {"targetRef", {{"kind", "Pod"}, {"name", found->second.name + "-" + std::to_string(i)}}}});
    }
    traffic_->bad[{ns, id.name}] = found != sets.end() && found->second.bad;
    const apiserver::ObjectId slice{kSlices, ns, id.name + "-1"};
    const auto before = storage_->get(slice);
    if (before && before->parse()["endpoints"] == endpoints) continue;
    Json object = {{"apiVersion", "discovery.k8s.io/v1"}, {"kind", "EndpointSlice"}, {"addressType", "IPv4"}};
    object["metadata"] = {{"name", slice.name},
                          {"namespace", ns},
                          {"uid", "slice-" + ns + "-" + slice.name},
                          {"labels", {{"kubernetes.io/service-name", id.name}}}};
    object["endpoints"] = std::move(endpoints);
    EXPECT_TRUE(storage_->put(slice, std::move(object)));
  }
}

void Cluster::accept_route(const apiserver::ObjectId& id, const apiserver::Stored& stored) {
  const auto current = storage_->get(id);
  if (!serving_ || !current || current->revision != stored.revision) return;
  Json object = stored.parse();
  const auto generation = json::int_at(object, "metadata.generation");
  const Split split = split_of(object, id.name);
  traffic_->served[{id.ns, id.name}] = {
      split.stable + split.canary > 0 ? double(split.canary) / double(split.stable + split.canary) : 0,
      id.name + "-stable", id.name + "-canary"};
  if (json::int_at(object, "/status/parents/0/conditions/0/observedGeneration") == generation) return;
  Json conditions = Json::array();
  for (const char* type : {"Accepted", "ResolvedRefs"}) {
    conditions.push_back({{"type", type},
                          {"status", "True"},
                          {"reason", type},
                          {"message", ""},
                          {"lastTransitionTime", "2026-01-01T00:00:00Z"},
                          {"observedGeneration", generation}});
  }
  object["status"]["parents"] = Json::array({{{"parentRef", {{"name", "demo"}}},
                                              {"controllerName", "example.com/gateway"},
                                              {"conditions", std::move(conditions)}}});
  EXPECT_TRUE(storage_->put(id, std::move(object)));
}

void Cluster::serve(bool serving) {
  serving_ = serving;
  for (const auto& [id, stored] : storage_->list(kRoutes, "")) accept_route(id, *stored);
}

void Cluster::flow() {
  if (requests_per_second == 0 || now() - flowed_ < std::chrono::seconds(1)) return;
  const double seconds = std::chrono::duration<double>(now() - flowed_).count();
  flowed_ = now();
  const double all = std::floor(requests_per_second * seconds);
  for (const auto& [key, served] : traffic_->served) {
    const auto canary = static_cast<std::uint64_t>(std::llround(all * served.canary));
    const auto stable = static_cast<std::uint64_t>(all) - canary;
    traffic_->add(key.ns, key.name, served.canary_service, canary,
                  traffic_->bad[{key.ns, served.canary_service}]);
    traffic_->add(key.ns, key.name, served.stable_service, stable,
                  traffic_->bad[{key.ns, served.stable_service}]);
  }
}

Json rollout_of(const api::Key& key, const std::string& image, const Json& steps) {
  const Json labels = {{"app", key.name}};
  Json canary = {{"stableService", key.name + "-stable"},
                 {"canaryService", key.name + "-canary"},
                 {"scaleDownDelaySeconds", 5},
                 {"abortScaleDownDelaySeconds", 5},
                 {"steps", steps}};
  canary["trafficRouting"]["routes"] = Json::array({{{"name", key.name}}});
  Json spec = {{"replicas", 4}, {"progressDeadlineSeconds", 600}};
  spec["template"]["metadata"]["labels"] = labels;
  spec["template"]["spec"]["containers"] = Json::array({{{"name", "app"}, {"image", image}}});
  spec["strategy"]["canary"] = std::move(canary);
  return {{"apiVersion", "tidegate.dev/v1alpha1"},
          {"kind", "Rollout"},
          {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
          {"spec", std::move(spec)}};
}

Json route_of(const api::Key& key) {
  Json backend = {{"name", key.name + "-stable"}, {"port", 80}};
  Json spec;
  spec["parentRefs"] = Json::array({{{"name", "demo"}}});
  spec["rules"] = Json::array({{{"backendRefs", Json::array({std::move(backend)})}}});
  return {{"apiVersion", "gateway.networking.k8s.io/v1"},
          {"kind", "HTTPRoute"},
          {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
          {"spec", std::move(spec)}};
}

Json image_patch(const std::string& image) {
  Json patch;
  patch["spec"]["template"]["spec"]["containers"] = Json::array({{{"name", "app"}, {"image", image}}});
  return patch;
}

Split split_of(const Json& route, const std::string& name) {
  Split split;
  for (const auto& backend : json::array_at(route, "/spec/rules/0/backendRefs")) {
    const auto weight = json::int_at(backend, "weight", 1);
    const auto service = json::string_at(backend, "name");
    if (service == name + "-stable") split.stable = weight;
    if (service == name + "-canary") split.canary = weight;
  }
  return split;
}

}  // namespace tidegate::test
