// SPDX-License-Identifier: Apache-2.0
#include "app/up.h"

#include <csignal>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/log.h"

namespace tidegate::app {
namespace {

using namespace std::chrono_literals;

constexpr int kCannotStart = 2;
constexpr Duration kQuietFor = 3s;  // then a person wants to hear what is waited for
constexpr Duration kPatienceWithOthers = 5s;

int complain(const Error& error) {
  std::cerr << "tidegate: " << error.detail << "\n";
  return kCannotStart;
}

class Up {
 public:
  Up(net::EventLoop& loop, World& world, std::vector<Manifest> manifests)
      : loop_(loop), world_(world), manifests_(std::move(manifests)), signals_(loop.io(), SIGINT, SIGTERM) {}

  int run() {
    wait_for_signal();
    net::spawn(loop_.io(), start());
    loop_.run();
    return exit_code_;
  }

 private:
  void wait_for_signal() {
    signals_.async_wait([this](auto error, int) {
      if (error) return;
      stopping_ = true;
      net::spawn(loop_.io(), stop());
      // A second signal does not wait for drains.
      signals_.async_wait([this](auto again, int) {
        if (!again) loop_.stop();
      });
    });
  }

  Task<void> start() {
    auto started = co_await world_.start(manifests_);
    if (!started) {
      exit_code_ = complain(started.error());
      co_await stop();
      co_return;
    }
    co_await wait_until_ready();
    if (!stopping_) print_ready();
  }

  // The Gateways that were given must be programmed; those of an earlier life are waited for as well, though
  // not for ever.
  Task<void> wait_until_ready() {
    std::vector<std::string> said;
    for (Duration waited{0}; !stopping_; waited += 50ms) {
      auto waiting = co_await world_.waiting_for(manifests_);
      if (waiting.empty() && (world_.settled() || waited >= kPatienceWithOthers)) co_return;
      if (waited >= kQuietFor && waiting != said) {
        said = waiting;
        for (const auto& line : waiting) std::cerr << "tidegate: waiting for " << line << "\n";
      }
      co_await net::sleep_for(loop_.scheduler(), 50ms);
    }
  }

  void print_ready() {
    std::cout << "ready\n"
              << "  kubectl --kubeconfig " << world_.kubeconfig_path()
              << " get rollouts,gateways,httproutes,pods\n"
              << "  metrics http://" << to_string(world_.metrics_address()) << "/metrics\n"
              << std::flush;
  }

  Task<void> stop() {
    co_await world_.stop();
    loop_.stop();
  }

  net::EventLoop& loop_;
  World& world_;
  std::vector<Manifest> manifests_;
  asio::signal_set signals_;
  bool stopping_ = false;
  int exit_code_ = 0;
};

}  // namespace

int run_up(WorldOptions options, const std::vector<std::string>& manifest_paths) {
  std::vector<Manifest> manifests;
  for (const auto& path : manifest_paths) {
    auto loaded = load_manifests(path);
    if (!loaded) return complain(loaded.error());
    std::move(loaded->begin(), loaded->end(), std::back_inserter(manifests));
  }
  net::EventLoop loop;
  auto world = World::open(loop, std::move(options));
  if (!world) return complain(world.error());
  return Up(loop, **world, std::move(manifests)).run();
}

}  // namespace tidegate::app
