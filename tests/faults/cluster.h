// SPDX-License-Identifier: Apache-2.0
// A cluster for tests of controllers: the real API server behind the fault layer, on fake time, and in place
// of kubelets and gateways a few lines that make ReplicaSets ready, endpoints follow selectors, routes
// accepted and requests flow as the served weights say. These and the test itself reach the API without
// faults; controllers come in through FaultyServer, by sockets. Time runs ahead whenever nothing is under
// way. Thread: the test's.
#pragma once

#include <nlohmann/json.hpp>
#include <set>

#include "apiserver/api.h"
#include "kube/events.h"
#include "metrics/traffic.h"
#include "net/event_loop.h"
#include "rollout/controller.h"
#include "tests/faults/faulty_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace tidegate::test {

class Cluster {
 public:
  Cluster();
  ~Cluster();

  FaultyServer& faults() { return *server_; }
  test::FakeScheduler& scheduler() { return scheduler_; }
  asio::io_context& io() { return loop_.io(); }
  TimePoint now() const { return scheduler_.clock().now(); }
  std::unique_ptr<kube::Client> client(const std::string& agent);

  // As people do it, without faults. The answer's document; a refusal fails the test.
  Json call(const std::string& method, const std::string& target, const Json& body = nullptr);
  void create(const Json& object);
  void merge(const api::Resource& resource, const api::Key& key, const Json& patch);
  void annotate(const api::Key& rollout, const std::string& key, const std::string& value);
  Json get(const api::Resource& resource, const api::Key& key) const;  // null: none
  std::vector<Json> list(const api::Resource& resource, const std::string& ns = {}) const;
  std::uint64_t revision() const { return storage_->revision(); }

  // Called for each change, in order: before what stands in for nodes and gateways reacts.
  std::function<void(const apiserver::Change&)> on_change;

  // Runs until it holds, looking after each change and each step of time; false after so much fake time.
  bool run_until(const std::function<bool()>& holds, Duration at_most);
  void run_for(Duration time);

  // What stands in for nodes, gateways and users.
  std::map<std::string, std::int64_t> most_ready;  // by ReplicaSet name: no more of its pods become ready
  double requests_per_second = 0;                  // of each route; images with "bad" in them fail them
  void serve(bool serving);                        // whether the gateway takes what routes say
  const metrics::TrafficSource& traffic() const;

 private:
  class Traffic;
  void turn();
  void react();  // to what changed
  void make_ready(const apiserver::ObjectId& id, const apiserver::Stored& stored);
  void make_endpoints(const std::string& ns);
  void accept_route(const apiserver::ObjectId& id, const apiserver::Stored& stored);
  void flow();

  TempDir dir_;
  net::EventLoop loop_;
  FakeScheduler scheduler_;
  std::unique_ptr<apiserver::Storage> storage_;
  std::unique_ptr<apiserver::Api> api_;
  std::unique_ptr<FaultyServer> server_;
  std::unique_ptr<Traffic> traffic_;
  std::uint64_t reacted_ = 0;
  TimePoint flowed_{};
  bool serving_ = true;
  Duration step_ = std::chrono::milliseconds(50);
};

// A controller of Rollouts as a process of its own: client, events, caches.
struct Process {
  Process(Cluster& cluster, const std::string& agent)
      : client(cluster.client(agent)),
        events(*client, agent),
        controller(*client, events, &cluster.traffic(), nullptr, rollout::Controller::Options{}) {}
  std::unique_ptr<kube::Client> client;
  kube::EventRecorder events;
  rollout::Controller controller;
};

// A Rollout of 4 pods behind HTTPRoute <name>, whose rule names <name>-stable alone.
Json rollout_of(const api::Key& key, const std::string& image, const Json& steps);
Json route_of(const api::Key& key);
Json image_patch(const std::string& image);

struct Split {
  std::int64_t stable = 0, canary = 0;
  friend auto operator<=>(const Split&, const Split&) = default;
};
Split split_of(const Json& route, const std::string& name);

}  // namespace tidegate::test
