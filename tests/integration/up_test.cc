// SPDX-License-Identifier: Apache-2.0
// `tidegate up` as its user starts it: what it says when it can't, and that a killed one goes on where it
// was.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/core.h"
#include "api/rollout.h"
#include "net/listener.h"
#include "tests/integration/program.h"
#include "tests/integration/world_fixture.h"

namespace tidegate::test {
namespace {

using namespace std::chrono_literals;

class Up : public testing::Test {
 protected:
  std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {"up",           "--data-dir", data_,         "--api",
                                    "127.0.0.1:0",  "--metrics",  "127.0.0.1:0", "--gateway-pool",
                                    gateway_pool(), "--pod-pool", pod_pool()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = dir_.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  // It ends with exit code 2 and one line on standard error that holds `words`, and prints nothing else.
  void expect_refusal(std::vector<std::string> arguments, const std::vector<std::string>& words) {
    Program program(dir_.path(), std::move(arguments));
    EXPECT_EQ(program.wait(), 2);
    const std::string err = program.err();
    EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
    for (const auto& word : words)
      EXPECT_NE(err.find(word), std::string::npos) << "no \"" << word << "\" in: " << err;
    EXPECT_EQ(program.out(), "");
  }

  TempDir dir_;
  std::string data_ = dir_.path() + "/data";
};

TEST_F(Up, SaysWhichPortIsInUse) {
  net::EventLoop loop;
  auto taken = net::Listener::open(loop.io(), {{"127.0.0.1", 0}}, [](net::TcpSocket) {});
  ASSERT_TRUE(taken) << taken.error().detail;
  const std::string address = to_string((*taken)->address());
  expect_refusal(arguments({"--api", address}), {address, "in use"});
  expect_refusal(arguments({"--metrics", address}), {address, "in use"});
}

TEST_F(Up, VersionIsToldByFlagAndByVerb) {
  Program flag(dir_.path(), {"--version"});
  EXPECT_EQ(flag.wait(), 0) << flag.err();
  const std::string told = flag.out();
  EXPECT_TRUE(told.starts_with("tidegate ")) << told;
  Program verb(dir_.path(), {"version"});
  EXPECT_EQ(verb.wait(), 0);
  EXPECT_EQ(verb.out(), told);
}

TEST_F(Up, SaysThatTheDataDirCannotBeMade) {
  const std::string file = write("file", "not a folder");
  expect_refusal({"up", "--data-dir", file + "/data", "--api", "127.0.0.1:0", "--metrics", "127.0.0.1:0"},
                 {"data dir " + file + "/data"});
}

TEST_F(Up, SaysWhereAManifestIsBroken) {
  const std::string path = write("broken.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a\n");
  expect_refusal(arguments({"-f", path}), {path, "line"});
  const std::string nameless = write("nameless.yaml", "apiVersion: v1\nkind: Service\n");
  expect_refusal(arguments({"-f", nameless}), {nameless + ":1", "metadata.name"});
  expect_refusal(arguments({"-f", dir_.path() + "/missing.yaml"}), {"missing.yaml", "no such file"});
  EXPECT_FALSE(std::filesystem::exists(data_)) << "a world was begun for a broken manifest";
}

TEST_F(Up, AppliesNothingWhereOneManifestIsInvalid) {
  const std::string path =
      write("two.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: {name: good}\nspec: {ports: [{port: 80}]}\n---\n"
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: bad}\n"
            "spec: {rules: [{backendRefs: [{name: a, port: 99999}]}]}\n");
  expect_refusal(arguments({"-f", path}), {"two.yaml:6", "spec.rules[0].backendRefs[0].port", "99999"});
  Program again(dir_.path(), arguments());
  ASSERT_TRUE(again.prints("ready")) << again.err();
  net::EventLoop loop;
  auto config = kube::load_kubeconfig(data_ + "/kubeconfig");
  ASSERT_TRUE(config) << config.error().detail;
  kube::Client client(loop.io(), loop.scheduler(), *config);
  auto look = [&]() -> Task<void> {
    const api::Key key{"default", "good"};
    auto object = co_await client.get(api::kServices, key);
    EXPECT_FALSE(object) << "the valid manifest was applied beside the invalid one";
    loop.stop();
  };
  net::spawn(loop.io(), look());
  loop.run();
}

TEST_F(Up, SaysWhichPoolIsNoAddressBlock) {
  expect_refusal({"up", "--data-dir", data_, "--gateway-pool", "nowhere"}, {"--gateway-pool", "nowhere"});
  expect_refusal({"up", "--data-dir", data_, "--pod-pool", "127.0.0.0/99"}, {"--pod-pool", "127.0.0.0/99"});
}

TEST_F(Up, RefusesLimitsThatAreNone) {
  const std::string bad = write("limits.yaml", "clients: {headerTimeout: 0s}\n");
  expect_refusal(arguments({"--limits", bad}), {"--limits", bad, "clients.headerTimeout", "\"0s\"", "100ms"});
  const std::string missing = dir_.path() + "/none.yaml";
  expect_refusal(arguments({"--limits", missing}), {"--limits", missing, "cannot be read"});
}

TEST_F(Up, RefusesUnknownOptionsAndBadValues) {
  Program unknown(dir_.path(), {"up", "--no-such-option"});
  EXPECT_EQ(unknown.wait(), 2);
  Program bad(dir_.path(), arguments({"--api", "nowhere"}));
  EXPECT_EQ(bad.wait(), 2);
  EXPECT_NE(bad.err().find("--api"), std::string::npos) << bad.err();
}

TEST_F(Up, StopsCleanlyOnSigterm) {
  Program program(dir_.path(), arguments({"-f", example("01-first-canary")}));
  ASSERT_TRUE(program.prints("ready")) << program.err();
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0) << program.err();
}

// A client of a running `tidegate up`, on a loop of its own.
class Watcher {
 public:
  explicit Watcher(const std::string& kubeconfig)
      : client_(loop_.io(), loop_.scheduler(), kube::load_kubeconfig(kubeconfig).value_or({})) {}

  // The Rollout, once `holds`; an empty object after a minute.
  Json rollout(std::function<bool(const Json&)> holds) {
    Json found = Json::object();
    auto look = [&]() -> Task<void> {
      const api::Key key{"default", "shop"};
      for (Duration waited{0}; waited < 60s; waited += 20ms) {
        auto object = co_await client_.get(api::kRollouts, key);
        if (object && holds(*object)) {
          found = *object;
          break;
        }
        co_await net::sleep_for(loop_.scheduler(), 20ms);
      }
      loop_.stop();
    };
    net::spawn(loop_.io(), look());
    loop_.run();
    loop_.io().restart();
    return found;
  }
  bool apply(const std::string& path) {
    bool ok = false;
    auto manifests = app::load_manifests(path);
    if (!manifests) return false;
    auto work = [&]() -> Task<void> {
      const app::ApplyOptions options;
      auto applied = co_await app::apply_manifests(client_, *manifests, options);
      ok = applied.has_value();
      loop_.stop();
    };
    net::spawn(loop_.io(), work());
    loop_.run();
    loop_.io().restart();
    return ok;
  }

 private:
  net::EventLoop loop_;
  kube::Client client_;
};

std::int64_t step(const Json& rollout) { return json::int_at(rollout, "status.currentStepIndex", -1); }

bool settled(const Json& rollout) {
  return json::int_at(rollout, "status.observedGeneration") == json::int_at(rollout, "metadata.generation");
}

TEST_F(Up, GoesOnFromTheSameStepAfterKill9) {
  Json before;
  {
    Program program(dir_.path(), arguments({"-f", example("01-first-canary")}));
    ASSERT_TRUE(program.prints("ready")) << program.err();
    Watcher watcher(data_ + "/kubeconfig");
    ASSERT_FALSE(watcher.rollout([](const Json& r) { return phase(r) == "Healthy"; }).empty())
        << program.err();
    // A pause that waits for a person: no load runs here, so nothing else would hold the rollout at a known
    // step.
    const std::string held = write("held.yaml", [] {
      std::ifstream in(example("01-first-canary/versions/v2.yaml"));
      std::string text(std::istreambuf_iterator<char>(in), {});
      const auto pause = text.find("        - pause:");
      const auto next = text.find("        - setWeight:", pause);
      return text.replace(pause, next - pause, "        - pause: {}\n");
    }());
    ASSERT_TRUE(watcher.apply(held));
    before = watcher.rollout([](const Json& r) { return phase(r) == "Paused" && step(r) == 1; });
    ASSERT_FALSE(before.empty()) << json::dump_pretty(watcher.rollout([](const Json&) { return true; }));
    program.signal(SIGKILL);
    EXPECT_EQ(program.wait(), 128 + SIGKILL);
  }
  Program again(dir_.path(), arguments());
  ASSERT_TRUE(again.prints("ready")) << again.err();
  Watcher watcher(data_ + "/kubeconfig");
  const Json after = watcher.rollout([](const Json& r) { return settled(r) && phase(r) == "Paused"; });
  EXPECT_EQ(step(after), step(before));
  EXPECT_EQ(json::string_at(after, "status.canaryRevision"),
            json::string_at(before, "status.canaryRevision"));
  EXPECT_EQ(json::string_at(after, "status.stableRevision"),
            json::string_at(before, "status.stableRevision"));
}

}  // namespace
}  // namespace tidegate::test
