// SPDX-License-Identifier: Apache-2.0
// Two promises of the Rollout, measured on a whole world: how long the canary still gets requests after
// somebody has asked for an abort, and how late steps start where 500 Rollouts go on at once.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/rollout.h"
#include "base/log.h"
#include "base/text.h"
#include "tests/scale/scale_world.h"

namespace tidegate::test {
namespace {

using namespace std::chrono_literals;

constexpr int kAborts = 100;
constexpr double kRequestsPerSecond = 1000;
constexpr int kRollouts = 500;
constexpr Duration kPause = 10s;
constexpr Duration kMany = 10min;  // nothing here may take longer

class Table {
 public:
  static void head(const char* title) {
    std::printf("\n%s\n\n| | p50 | p99 | most | promised |\n|---|---|---|---|---|\n", title);
  }
  static void row(const char* what, std::vector<Duration> samples, const char* promised) {
    std::sort(samples.begin(), samples.end());
    const auto at = [&](double share) {
      const auto index = static_cast<std::size_t>(share * static_cast<double>(samples.size()));
      return samples[std::min(index, samples.size() - 1)].count();
    };
    std::printf("| %s | %ld ms | %ld ms | %ld ms | %s |\n", what, static_cast<long>(at(0.5)),
                static_cast<long>(at(0.99)), static_cast<long>(samples.back().count()), promised);
    std::fflush(stdout);
  }
};

bool newest(const Json& rollout) {
  return json::int_at(rollout, "metadata.generation") == json::int_at(rollout, "status.observedGeneration");
}
bool in_phase(const Json& rollout, const char* phase) {
  return newest(rollout) && json::string_at(rollout, "status.phase") == phase;
}
Json revision_patch(const std::string& revision) {
  return {{"spec", {{"services", {{"revision", revision}}}}}};
}

class Aborts {
 public:
  void run() {
    world_.play([this]() -> Task<void> { co_await measure(); });
    Table::head("An abort, 1000 requests a second, half of them to the canary: 100 times");
    Table::row("kubectl annotate to the canary's last request", samples_, "p99 < 200 ms");
  }

 private:
  Task<void> becomes(const char* phase) {
    for (Duration waited{0}; waited < kMany; waited += 20ms) {
      const Json rollout = co_await world_.get("shop");
      if (in_phase(rollout, phase)) co_return;
      co_await world_.sleep(20ms);
    }
    std::fprintf(stderr, "the Rollout never became %s\n", phase);
  }

  Task<void> measure() {
    const Json steps = Json::array({{{"setWeight", 50}}, {{"pause", Json::object()}}});
    co_await world_.create_rollout("shop", steps, "r0");
    co_await becomes("Healthy");
    local::DemoLoadOptions load;
    load.target = co_await world_.gateway();
    load.host = "shop.example.com";
    load.rate = kRequestsPerSecond;
    world_.users.begin(load);
    for (int i = 1; i <= kAborts; ++i) {
      const Json ship = revision_patch("r" + std::to_string(i));
      co_await world_.patch("shop", ship);
      co_await becomes("Paused");
      co_await world_.sleep(200ms);
      const Json abort = {{"metadata", {{"annotations", {{api::kAbortAnnotation, "bench"}}}}}};
      const SteadyTime asked = system_clock().steady_now();
      co_await world_.patch("shop", abort);
      co_await becomes("Degraded");
      co_await world_.sleep(300ms);
      samples_.push_back(std::max(Duration(0), world_.users.last_of_canary() - asked));
    }
  }

  ScaleWorld world_;
  std::vector<Duration> samples_;
};

// All of them are under way at once; they are shipped evenly over `spread`.
class ManyRollouts {
 public:
  explicit ManyRollouts(Duration spread) : between_(spread / kRollouts) {}

  void run(const char* title, const char* promised) {
    world_.play([this]() -> Task<void> { co_await measure(); });
    Table::head(title);
    Table::row("a step starts late by", late_, promised);
    Table::row("a weight is served after its step's start by", served_, "");
  }

 private:
  static std::string name(int i) { return "app-" + std::to_string(i); }

  Task<void> all_healthy() {
    for (Duration waited{0}; waited < kMany; waited += 2s) {
      co_await world_.sleep(2s);
      const auto rollouts = co_await world_.list();
      if (std::all_of(rollouts.begin(), rollouts.end(),
                      [](const Json& it) { return in_phase(it, "Healthy"); }))
        co_return;
    }
    std::fprintf(stderr, "not all Rollouts became Healthy\n");
  }

  Task<void> measure() {
    const Json pause = {{"pause", {{"duration", text::format_duration(kPause)}}}};
    const Json steps = Json::array({{{"setWeight", 10}}, pause, {{"setWeight", 50}}, pause});
    for (int i = 0; i < kRollouts; ++i) co_await world_.create_rollout(name(i), steps, "r1");
    co_await all_healthy();
    const SteadyTime began = system_clock().steady_now();
    for (int i = 0; i < kRollouts; ++i) {
      const Duration ahead = began + i * between_ - system_clock().steady_now();
      if (ahead > Duration(0)) co_await world_.sleep(ahead);
      const Json ship = revision_patch("r2");
      co_await world_.patch(name(i), ship);
    }
    co_await all_healthy();
    for (const Json& rollout : co_await world_.list()) read(rollout);
  }

  // From what the history says of each step.
  void read(const Json& rollout) {
    std::optional<TimePoint> before;
    for (const auto& step : json::array_at(rollout, "/status/history/0/steps")) {
      const auto finished = text::parse_time(json::string_at(step, "finishedAt"));
      if (finished && before) {
        const bool pause = json::string_at(step, "step").starts_with("pause");
        (pause ? late_ : served_).push_back(*finished - *before - (pause ? kPause : Duration(0)));
      }
      before = finished ? std::optional(*finished) : std::nullopt;
    }
  }

  const Duration between_;
  ScaleWorld world_;
  std::vector<Duration> late_, served_;
};

}  // namespace
}  // namespace tidegate::test

int main() {
  using namespace tidegate;
  log::configure(log::Level::kError, log::Format::kText);
  test::Aborts().run();
  test::ManyRollouts(test::kPause).run("500 Rollouts at once, shipped over 10 seconds", "< 1 s");
  test::ManyRollouts(Duration(0)).run("500 Rollouts at once, shipped in the same moment", "");
}
