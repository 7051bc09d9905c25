// SPDX-License-Identifier: Apache-2.0
#include "local/demo_load.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unordered_map>

#include "session/client_pool.h"

namespace tidegate::local {
namespace {

using namespace std::chrono_literals;

constexpr Duration kTick = 5ms;
constexpr Duration kReportEvery = 200ms;
constexpr std::size_t kMaxBody = 64 * 1024;  // only the version in it is of interest
constexpr std::size_t kMaxInFlight =
    10'000;  // a target that hangs must not fill memory; past it requests are counted as overflow

}  // namespace

struct DemoLoad::State {
 public:
  State(net::EventLoop& loop, DemoLoadOptions given)
      : loop_(loop),
        options_(std::move(given)),
        pool_(loop.io(), loop.scheduler(), {options_.target, nullptr, {}}, {}),
        started_(now()) {
    const auto& options = options_;
    head_.method = "GET";
    head_.target = options.path;
    head_.scheme = "http";
    head_.authority = options.host.empty() ? net::to_string(options.target) : options.host;
    head_.headers.add("User-Agent", "tidegate-demo-load");
  }

  void start() {
    tick();
    report();
  }
  void stop(std::function<void()> done) {
    stopping_ = true;
    done_ = std::move(done);
  }
  const LoadCounts& counts() const { return counts_; }
  void write_report() const;

 private:
  struct Call final : session::ClientStreamEvents {
    Call(State& load, std::uint64_t id) : load(load), id(id) {}
    void on_head(http::ResponseHead& head) override { status = head.status; }
    void on_data(std::string_view data) override {
      if (body.size() + data.size() <= kMaxBody) body.append(data);
    }
    void on_end(const http::Headers&) override { load.answered(*this); }
    void on_writable() override {}
    void on_error(session::StreamError error, bool, std::string_view) override {
      load.failed(*this, to_string(error));
    }

    State& load;
    std::uint64_t id;
    SteadyTime deadline{};
    int status = 0;
    std::string body;
    std::unique_ptr<session::ClientStream> stream;
  };

  SteadyTime now() const { return loop_.scheduler().clock().steady_now(); }
  void tick();
  void send();
  void expire();
  void report();
  void answered(Call& call);
  void failed(Call& call, const std::string& why);
  void finish(Call& call);

  net::EventLoop& loop_;
  const DemoLoadOptions options_;
  session::ClientPool pool_;
  http::RequestHead head_;
  SteadyTime started_;
  std::uint64_t next_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Call>> calls_;
  LoadCounts counts_;
  bool stopping_ = false;
  std::function<void()> done_;
  std::unique_ptr<Scheduler::Timer> tick_timer_, report_timer_;
};

void DemoLoad::State::tick() {
  const Duration elapsed = now() - started_;
  expire();
  if (stopping_ && calls_.empty()) {
    write_report();
    if (done_) done_();
    return;
  }
  const auto due = static_cast<std::uint64_t>(options_.rate * static_cast<double>(elapsed.count()) / 1000.0);
  while (!stopping_ && next_ < due) send();
  tick_timer_ = loop_.scheduler().after(kTick, [this] { tick(); });
}

void DemoLoad::State::send() {
  const auto id = next_++;
  counts_.requests++;
  if (calls_.size() >= kMaxInFlight) {
    counts_.failed++;
    counts_.failures["not sent: too many in flight"]++;
    return;
  }
  auto call = std::make_unique<Call>(*this, id);
  call->deadline = now() + options_.timeout;
  counts_.in_flight++;
  Call& kept = *(calls_[id] = std::move(call));
  kept.stream = pool_.request(head_, true, kept);
}

void DemoLoad::State::expire() {
  const auto time = now();
  std::erase_if(calls_, [&](const auto& entry) {
    if (!entry.second || entry.second->deadline > time) return false;
    counts_.failed++;
    counts_.in_flight--;
    counts_.failures["timeout"]++;
    return true;
  });
}

void DemoLoad::State::answered(Call& call) {
  const Json body = Json::parse(call.body, nullptr, false);
  const std::string version = body.is_object() ? json::string_at(body, "version") : "";
  auto& of_version = counts_.versions[version.empty() ? "unknown" : version];
  of_version.requests++;
  if (call.status >= 500) {
    of_version.failed++;
    counts_.failed++;
    counts_.failures[std::to_string(call.status) + (version.empty() ? "" : " from " + version)]++;
  }
  finish(call);
}

void DemoLoad::State::failed(Call& call, const std::string& why) {
  counts_.failed++;
  counts_.failures[why]++;
  finish(call);
}

void DemoLoad::State::finish(Call& call) {
  counts_.in_flight--;
  auto node = calls_.extract(call.id);
  // The stream is in the middle of telling us; it goes once it has returned.
  loop_.scheduler().post([done = std::shared_ptr<Call>(std::move(node.mapped()))] {});
}

void DemoLoad::State::report() {
  write_report();
  report_timer_ = loop_.scheduler().after(kReportEvery, [this] { report(); });
}

void DemoLoad::State::write_report() const {
  if (options_.report.empty()) return;
  const std::string next = options_.report + ".next";
  std::ofstream(next) << to_lines(counts_);
  std::error_code ignored;
  std::filesystem::rename(next, options_.report, ignored);  // readers never see half a report
}

Json to_json(const LoadCounts& counts) {
  Json versions = Json::object();
  for (const auto& [name, version] : counts.versions) {
    versions[name] = {{"requests", version.requests}, {"failed", version.failed}};
  }
  return {{"requests", counts.requests},
          {"failed", counts.failed},
          {"inFlight", counts.in_flight},
          {"versions", versions},
          {"failures", counts.failures}};
}

std::string to_lines(const LoadCounts& counts) {
  std::ostringstream out;
  out << "requests " << counts.requests << "\nfailed " << counts.failed << "\nin-flight " << counts.in_flight
      << "\n";
  for (const auto& [name, version] : counts.versions) {
    out << "version " << name << " " << version.requests << " " << version.failed << "\n";
  }
  for (const auto& [why, count] : counts.failures) out << "failure " << count << " " << why << "\n";
  return out.str();
}

DemoLoad::DemoLoad(net::EventLoop& loop, DemoLoadOptions options)
    : state_(std::make_unique<State>(loop, std::move(options))) {}
DemoLoad::~DemoLoad() = default;
void DemoLoad::start() { state_->start(); }
void DemoLoad::stop(std::function<void()> done) { state_->stop(std::move(done)); }
const LoadCounts& DemoLoad::counts() const { return state_->counts(); }

int run_demo_load(const DemoLoadOptions& options) {
  net::EventLoop loop;
  DemoLoad load(loop, options);
  const auto end = [&] { load.stop([&] { loop.stop(); }); };
  asio::signal_set signals(loop.io(), SIGINT, SIGTERM);
  signals.async_wait([&](auto error, int) {
    if (!error) end();
  });
  std::unique_ptr<Scheduler::Timer> limit;
  if (options.duration > 0ms) limit = loop.scheduler().after(options.duration, end);
  load.start();
  loop.run();
  std::cout << json::dump(to_json(load.counts())) << "\n";
  const auto& counts = load.counts();
  if (counts.requests == 0 || !counts.versions.empty()) return 0;
  std::cerr << "tidegate: no request to " << net::to_string(options.target) << " was answered\n";
  return 2;
}

}  // namespace tidegate::local
