// SPDX-License-Identifier: Apache-2.0
// The whole runtime against the real embedded API server, in process, with real (idle) processes as pods.
#include "local/runtime.h"

#include <gtest/gtest.h>

#include <signal.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "api/condition.h"
#include "api/core.h"
#include "net/task.h"
#include "tests/support/temp_dir.h"

namespace tidegate::local {
namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 30s;  // of a wait; only a failing test takes that long

// What was a call of a coroutine becomes a value, by running the loop until it is there.
template <typename T>
Task<void> keep(Task<T> task, std::optional<T>& out) {
  auto value = co_await std::move(task);
  out.emplace(std::move(value));
}

class RuntimeTest : public testing::Test {
 protected:
  void SetUp() override {
    open_server();
    start_runtime();
  }
  void TearDown() override {
    if (!runtime) return;
    bool done = false;
    net::spawn(loop.io(), stop(*this, done));
    run_until([&] { return done; });
  }
  static Task<void> stop(RuntimeTest& test, bool& done) {
    co_await test.runtime->stop();
    done = true;
  }

  void open_server() {
    apiserver::Server::Options options;
    options.address = {"127.0.0.1", 0};
    options.data_dir = dir.path() + "/data";
    auto opened = apiserver::Server::open(loop, options);
    ASSERT_TRUE(opened) << opened.error().detail;
    server = *std::move(opened);
    const std::string path = dir.path() + "/kubeconfig";
    std::ofstream(path) << server->kubeconfig();
    auto config = kube::load_kubeconfig(path);
    ASSERT_TRUE(config) << config.error().detail;
    client = std::make_unique<kube::Client>(loop.io(), loop.scheduler(), *config);
  }
  void start_runtime() {
    Runtime::Options options;
    options.log_dir = dir.path() + "/logs";
    runtime = std::make_unique<Runtime>(loop.io(), loop.scheduler(), *client, options);
    server->set_log_source(&runtime->logs());
    runtime->start();
  }

  bool run_until(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop.io().restart();
      loop.io().run_for(5ms);
    }
    return true;
  }
  template <typename T>
  T call(Task<T> task) {
    std::optional<T> out;
    net::spawn(loop.io(), keep(std::move(task), out));
    EXPECT_TRUE(run_until([&] { return out.has_value(); }));
    return *std::move(out);
  }
  void create(const api::Resource& resource, const char* text) {
    const auto created = call(client->create(resource, Json::parse(text)));
    ASSERT_TRUE(created) << created.error().detail;
  }
  Json get(const api::Resource& resource, const std::string& name, const std::string& ns = "default") {
    return call(client->get(resource, {ns, name})).value_or(Json());
  }
  std::vector<Json> list(const api::Resource& resource) {
    kube::ListOptions options;
    options.ns = "default";
    auto items = call(client->list(resource, options));
    return items ? items->items : std::vector<Json>{};
  }
  void remove(const api::Resource& resource, const std::string& name, const std::string& ns = "default") {
    const auto removed = call(client->remove(resource, {ns, name}));
    EXPECT_TRUE(removed) << removed.error().detail;
  }
  // Polls an object until the condition holds.
  bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop.io().restart();
      loop.io().run_for(20ms);
    }
    return true;
  }
  bool pod_runs(const std::string& name) {
    return json::string_at(get(api::kPods, name), "status.phase") == "Running";
  }

  test::TempDir dir;
  net::EventLoop loop;
  std::unique_ptr<apiserver::Server> server;
  std::unique_ptr<kube::Client> client;
  std::unique_ptr<Runtime> runtime;
};

constexpr const char* kPod =
    R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "name": "sleeper", "labels": {"app": "x"}},
    "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "c", "image": "any", "command": ["/bin/sh", "-c", "echo hello from $HOSTNAME; exec sleep 1000"]}]}})";

TEST_F(RuntimeTest, RunsAPodToItsEnd) {
  create(api::kPods, kPod);
  ASSERT_TRUE(eventually([&] { return api::decode_pod(get(api::kPods, "sleeper")).ready; }));
  const Json pod = get(api::kPods, "sleeper");
  EXPECT_TRUE(json::string_at(pod, "status.podIP").starts_with("127.78.")) << pod;
  EXPECT_EQ(json::string_at(pod, "spec.nodeName"), "local");
  const std::string id = json::string_at(pod, "/status/containerStatuses/0/containerID");
  const int pid = std::stoi(id.substr(id.rfind('/') + 1));
  EXPECT_EQ(::kill(pid, 0), 0);
  remove(api::kPods, "sleeper");
  EXPECT_TRUE(eventually([&] { return get(api::kPods, "sleeper").is_null(); }));
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(RuntimeTest, ServesLogs) {
  create(api::kPods, kPod);
  ASSERT_TRUE(eventually([&] { return pod_runs("sleeper"); }));
  std::string text;
  EXPECT_TRUE(eventually([&] {
    text = call(client->raw("GET", "/api/v1/namespaces/default/pods/sleeper/log", "", "")).value_or("");
    return !text.empty();
  }));
  EXPECT_EQ(text, "hello from sleeper\n");
}

TEST_F(RuntimeTest, StartsACrashedContainerAgain) {
  create(api::kPods,
         R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "name": "crasher"},
      "spec": {"containers": [{"name": "c", "image": "any", "command": ["/bin/sh", "-c", "exit 7"]}]}})");
  ASSERT_TRUE(eventually([&] {
    return json::int_at(get(api::kPods, "crasher"), "/status/containerStatuses/0/restartCount") >= 1;
  }));
  const Json pod = get(api::kPods, "crasher");
  EXPECT_EQ(json::int_at(pod, "/status/containerStatuses/0/lastState/terminated/exitCode"), 7);
  EXPECT_FALSE(api::decode_pod(pod).ready);
}

TEST_F(RuntimeTest, SaysWhatAnUnknownImageNeeds) {
  create(api::kPods,
         R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "name": "nginx"},
      "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}})");
  ASSERT_TRUE(eventually([&] {
    return json::string_at(get(api::kPods, "nginx"), "/status/containerStatuses/0/state/waiting/reason") ==
           "ErrImageNotFound";
  }));
  EXPECT_EQ(json::string_at(get(api::kPods, "nginx"), "status.phase"), "Pending");
}

TEST_F(RuntimeTest, RunsAJobToItsEndAndAnotherToItsFailure) {
  for (const auto& [name, command] : {std::pair{"good", "true"}, std::pair{"bad", "false"}}) {
    const std::string text =
        R"({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": "default", "name": ")" +
        std::string(name) + R"("}, "spec": {"backoffLimit": 1, "template": {"spec": {"restartPolicy": "Never",
        "containers": [{"name": "c", "image": "any", "command": [")" +
        command + R"("]}]}}}})";
    create(api::kJobs, text.c_str());
  }
  const auto ended = [&](const char* name, const char* type) {
    const auto conditions =
        api::decode_conditions(json::array_at(get(api::kJobs, name), "status.conditions"));
    return api::find_condition(conditions, type) != nullptr;
  };
  EXPECT_TRUE(eventually([&] { return ended("good", "Complete"); })) << get(api::kJobs, "good");
  EXPECT_EQ(json::int_at(get(api::kJobs, "good"), "status.succeeded"), 1);
  EXPECT_TRUE(eventually([&] { return ended("bad", "Failed"); })) << get(api::kJobs, "bad");
  EXPECT_EQ(json::int_at(get(api::kJobs, "bad"), "status.failed"), 2) << "one more try";
  remove(api::kJobs, "bad");
  EXPECT_TRUE(eventually([&] { return list(api::kPods).size() == 1; })) << "its pods go with it";
}

constexpr const char* kDeployment =
    R"({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "default", "name": "web"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
    "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "c", "image": "any", "command": ["/bin/sleep", "1000"], "ports": [{"name": "http", "containerPort": 8080}]}]}}}})";

TEST_F(RuntimeTest, RollsADeploymentOutAndOver) {
  create(api::kDeployments, kDeployment);
  create(api::kServices,
         R"({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "default", "name": "web"},
      "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}})");
  const auto complete = [&](std::int64_t generation) {
    const Json web = get(api::kDeployments, "web");
    return json::int_at(web, "status.observedGeneration") >= generation &&
           json::int_at(web, "status.updatedReplicas") == 2 &&
           json::int_at(web, "status.availableReplicas") == 2 && json::int_at(web, "status.replicas") == 2;
  };
  ASSERT_TRUE(eventually([&] { return complete(1); })) << get(api::kDeployments, "web");
  const auto ready_endpoints = [&] {
    std::size_t count = 0;
    for (const auto& slice : list(api::kEndpointSlices)) {
      const auto decoded = api::decode_endpoint_slice(slice);
      for (const auto& endpoint : decoded.endpoints)
        count += decoded.service == "web" && endpoint.ready && decoded.ports.at(0).port == 8080;
    }
    return count;
  };
  EXPECT_TRUE(eventually([&] { return ready_endpoints() == 2; }));

  const Json patch = Json::parse(R"({"spec": {"template": {"metadata": {"labels": {"version": "2"}}}}})");
  ASSERT_TRUE(call(client->patch(api::kDeployments, {"default", "web"}, kube::PatchType::kMerge, patch)));
  EXPECT_TRUE(eventually([&] { return complete(2); })) << get(api::kDeployments, "web");
  EXPECT_EQ(list(api::kReplicaSets).size(), 2U);
  EXPECT_TRUE(eventually([&] { return list(api::kPods).size() == 2 && ready_endpoints() == 2; }));
  for (const auto& pod : list(api::kPods)) EXPECT_EQ(json::string_at(pod, "metadata.labels.version"), "2");

  remove(api::kDeployments, "web");
  EXPECT_TRUE(eventually([&] { return list(api::kReplicaSets).empty() && list(api::kPods).empty(); }))
      << "owned objects go with their owner";
  remove(api::kServices, "web");
  EXPECT_TRUE(eventually([&] { return list(api::kEndpointSlices).empty(); }));
}

TEST_F(RuntimeTest, EmptiesANamespace) {
  create(api::kNamespaces, R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})");
  create(api::kConfigMaps,
         R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "a"}})");
  remove(api::kNamespaces, "shop", "");
  EXPECT_TRUE(eventually([&] { return get(api::kNamespaces, "shop", "").is_null(); }));
  EXPECT_TRUE(get(api::kConfigMaps, "a", "shop").is_null());
}

TEST_F(RuntimeTest, StartsPodsAnewAfterItWasAway) {
  create(api::kPods, kPod);
  ASSERT_TRUE(eventually([&] { return api::decode_pod(get(api::kPods, "sleeper")).ready; }));
  runtime.reset();  // as after a crash: nothing is written, the processes are gone
  start_runtime();
  EXPECT_TRUE(eventually([&] {
    const Json pod = get(api::kPods, "sleeper");
    return api::decode_pod(pod).ready && json::int_at(pod, "/status/containerStatuses/0/restartCount") == 1;
  }));
}

}  // namespace
}  // namespace tidegate::local
