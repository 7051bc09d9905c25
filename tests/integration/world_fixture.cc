// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/world_fixture.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "api/condition.h"
#include "api/gateway.h"
#include "api/rollout.h"

namespace tidegate::test {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPatience = 60s;

constexpr int kFirstBlock = 100, kBlocks = 120;

// Loopback addresses are the host's, and tests run side by side: whoever binds the abstract socket of a
// block's name (unix(7)) has the block until the process ends.
bool claim(int block) {
  const std::string name = "tidegate-test-block-" + std::to_string(block);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int held = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (held >= 0 && ::bind(held, reinterpret_cast<const sockaddr*>(&address), size) == 0) return true;
  ::close(held);
  return false;
}

std::string claim_pool() {
  for (int i = 0; i < kBlocks; ++i) {
    const int block = kFirstBlock + (::getpid() + i) % kBlocks;
    if (claim(block)) return "127." + std::to_string(block) + ".0.0/16";
  }
  throw std::runtime_error("no block of loopback addresses is free");
}

struct GaveUp : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void give_up(const std::string& what) {
  ADD_FAILURE() << what;
  throw GaveUp(what);
}

}  // namespace

std::string gateway_pool() {
  static const std::string pool = claim_pool();
  return pool;
}
std::string pod_pool() {
  static const std::string pool = claim_pool();
  return pool;
}
std::string example(const std::string& path) {
  return std::string(TIDEGATE_SOURCE_DIR) + "/examples/" + path;
}
std::string phase(const Json& rollout) { return json::string_at(rollout, "status.phase"); }

app::WorldOptions WorldTest::options() const {
  app::WorldOptions options;
  options.data_dir = dir_.path() + "/data";
  options.api = {"127.0.0.1", 0};
  options.metrics = {"127.0.0.1", 0};
  options.gateway_pool = gateway_pool();
  options.pod_pool = pod_pool();
  options.workers = 2;
  options.self_program = TIDEGATE_BINARY;
  return options;
}

void WorldTest::play(const std::string& manifests, std::function<Task<void>()> user) {
  auto loaded = app::load_manifests(manifests);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  auto world = app::World::open(loop_, options());
  ASSERT_TRUE(world) << world.error().detail;
  world_ = std::move(*world);
  auto script = [this, manifests = *loaded, user]() -> Task<void> {
    try {
      auto started = co_await world_->start(manifests);
      EXPECT_TRUE(started) << started.error().detail;
      if (started) co_await user();
    } catch (const GaveUp&) {
    }
    co_await world_->stop();
    loop_.stop();
  };
  net::spawn(loop_.io(), script());
  auto limit = loop_.scheduler().after(120s, [this] {
    ADD_FAILURE() << "the test did not end within two minutes";
    loop_.stop();
  });
  loop_.run();
  limit.reset();
  world_.reset();
}

Task<Json> WorldTest::get(api::Resource resource, std::string name) {
  const api::Key key{resource.namespaced ? "default" : "", name};
  auto object = co_await world_->client().get(resource, key);
  co_return object ? *object : Json::object();
}

Task<Json> WorldTest::wait_for(api::Resource resource, std::string name, std::string what,
                               std::function<bool(const Json&)> holds) {
  Json object;
  for (Duration waited{0}; waited < kPatience; waited += 20ms) {
    object = co_await get(resource, name);
    if (holds(object)) co_return object;
    co_await net::sleep_for(loop_.scheduler(), 20ms);
  }
  give_up("timed out waiting until " + name + " " + what + "; it is " + json::dump_pretty(object));
}

Task<void> WorldTest::until(std::string what, std::function<bool()> holds) {
  for (Duration waited{0}; waited < kPatience; waited += 20ms) {
    if (holds()) co_return;
    co_await net::sleep_for(loop_.scheduler(), 20ms);
  }
  give_up("timed out waiting until " + what);
}

Task<void> WorldTest::apply(std::string path) {
  auto manifests = app::load_manifests(path);
  if (!manifests) give_up(manifests.error().detail);
  const app::ApplyOptions apply_options;
  auto applied = co_await app::apply_manifests(world_->client(), *manifests, apply_options);
  if (!applied) give_up(applied.error().detail);
}

Task<void> WorldTest::annotate(std::string rollout, std::string key, std::string value) {
  const Json patch = {{"metadata", {{"annotations", {{key, value}}}}}};
  const api::Key name{"default", rollout};
  auto patched = co_await world_->client().patch(api::kRollouts, name, kube::PatchType::kMerge, patch);
  if (!patched) give_up(patched.error().detail);
}

Task<std::string> WorldTest::gateway_address(std::string name) {
  const Json gateway = co_await wait_for(api::kGateways, name, "is programmed", [](const Json& object) {
    const auto conditions = api::decode_conditions(json::array_at(object, "status.conditions"));
    const auto* programmed = api::find_condition(conditions, "Programmed");
    return programmed && programmed->status == "True";
  });
  co_return json::string_at(gateway, "/status/addresses/0/value");
}

}  // namespace tidegate::test
