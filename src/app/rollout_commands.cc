// SPDX-License-Identifier: Apache-2.0
#include "app/rollout_commands.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "api/core.h"
#include "api/rollout.h"
#include "app/rollout_view.h"
#include "base/json.h"
#include "base/yaml.h"
#include "kube/client.h"
#include "net/event_loop.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;

constexpr int kRefused = 1;
constexpr int kUnreachable = 2;
constexpr int kTimedOut = 2;
constexpr Duration kPollEvery = 500ms;

int complain(const Error& error) {
  std::cerr << "tidegate: " << error.detail << "\n";
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout ? kUnreachable : kRefused;
}

// Runs one task on a loop of its own with a client for the target's cluster.
int with_client(const RolloutTarget& target,
                const std::function<Task<int>(net::EventLoop&, kube::Client&)>& work) {
  auto config = kube::find_config(target.kubeconfig);
  if (!config) {
    std::cerr << "tidegate: " << config.error().detail << "\n";
    return kUnreachable;
  }
  net::EventLoop loop;
  kube::Client client(loop.io(), loop.scheduler(), std::move(*config));
  int code = kUnreachable;
  auto script = [&]() -> Task<void> {
    code = co_await work(loop, client);
    loop.stop();
  };
  net::spawn(loop.io(), script());
  loop.run();
  return code;
}

// One line for what a person follows: phase, step, weights, message.
std::string line_of(const Json& rollout) {
  const auto part = [&](std::string_view path) { return json::string_at(rollout, path, "-"); };
  return json::string_at(rollout, "metadata.name") + "  " + part("status.phase") + "  step " +
         part("status.step") + "  weight " + part("status.weight") + "  observed " + part("status.observed") +
         "  " + json::string_at(rollout, "status.message");
}

std::optional<int> verdict(const Json& rollout) {
  if (json::int_at(rollout, "status.observedGeneration") < json::int_at(rollout, "metadata.generation"))
    return {};
  const auto phase = json::string_at(rollout, "status.phase");
  if (phase == "Healthy") return 0;
  if (phase == "Degraded") return 1;
  return {};
}

Task<int> follow(net::EventLoop& loop, kube::Client& client, RolloutTarget target, Duration timeout,
                 bool on) {
  const api::Key key{target.ns, target.name};
  std::string last;
  const SteadyTime started = loop.scheduler().clock().steady_now();
  while (true) {
    auto rollout = co_await client.get(api::kRollouts, key);
    if (!rollout) co_return complain(rollout.error());
    if (auto line = line_of(*rollout); line != last) {
      std::cout << line << std::endl;
      last = line;
    }
    if (auto code = verdict(*rollout); code && !on) co_return *code;
    if (timeout > 0ms && loop.scheduler().clock().steady_now() - started >= timeout) {
      std::cerr << "tidegate: rollout " << to_string(key) << " is neither Healthy nor Degraded yet\n";
      co_return kTimedOut;
    }
    co_await net::sleep_for(loop.scheduler(), kPollEvery);
  }
}

Task<int> show(kube::Client& client, RolloutTarget target, Show form) {
  const api::Key key{target.ns, target.name};
  auto rollout = co_await client.get(api::kRollouts, key);
  if (!rollout) co_return complain(rollout.error());
  if (form == Show::kJson || form == Show::kYaml) {
    std::cout << (form == Show::kJson ? json::dump_pretty(*rollout) + "\n" : yaml::dump(*rollout));
    co_return 0;
  }
  RolloutView view{std::move(*rollout), {}, {}, client.scheduler().clock().now()};
  const kube::ListOptions in_namespace{target.ns, "", ""};
  auto sets = co_await client.list(api::kReplicaSets, in_namespace);
  if (!sets) co_return complain(sets.error());
  view.replica_sets = std::move(sets->items);
  if (form == Show::kDescription) {
    const kube::ListOptions about{target.ns, "",
                                  "involvedObject.kind=Rollout,involvedObject.name=" + target.name};
    auto events = co_await client.list(api::kEvents, about);
    if (!events) co_return complain(events.error());
    view.events = std::move(events->items);
  }
  std::cout << (form == Show::kSummary ? summary(view) : description(view));
  co_return 0;
}

}  // namespace

int annotate_rollout(const RolloutTarget& target, const std::string& key, std::optional<std::string> value,
                     const std::string& done) {
  return with_client(target, [&](net::EventLoop&, kube::Client& client) -> Task<int> {
    Json patch;
    patch["metadata"]["annotations"][key] = value ? Json(*value) : Json();
    const api::Key name{target.ns, target.name};
    auto patched = co_await client.patch(api::kRollouts, name, kube::PatchType::kMerge, patch);
    if (!patched) co_return complain(patched.error());
    std::cout << "rollout " << to_string(name) << " " << done << "\n";
    co_return 0;
  });
}

int follow_rollout(const RolloutTarget& target, Duration timeout, bool on) {
  return with_client(target, [&](net::EventLoop& loop, kube::Client& client) {
    return follow(loop, client, target, timeout, on);
  });
}

int show_rollout(const RolloutTarget& target, Show form) {
  return with_client(target,
                     [&](net::EventLoop&, kube::Client& client) { return show(client, target, form); });
}

}  // namespace tidegate::app
