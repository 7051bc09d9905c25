// SPDX-License-Identifier: Apache-2.0
#include "proxy/runtime.h"

#include <algorithm>
#include <optional>
#include <set>
#include <thread>

#include "base/log.h"
#include "proxy/collector.h"
#include "proxy/port_claims.h"
#include "proxy/series.h"
#include "proxy/work_guard.h"
#include "proxy/worker.h"

namespace tidegate::proxy {
namespace {

std::shared_ptr<AccessLog> open_access_log(const AccessLogOptions& options) {
  if (options.path.empty()) return nullptr;
  auto opened = AccessLog::open(options);
  if (opened) return std::move(*opened);
  log::error("no access log", {{"error", opened.error().detail}});
  return nullptr;
}

}  // namespace

struct Runtime::State {
  // A worker with its loop and thread.
  struct Seat {
    net::EventLoop loop{net::EventLoop::Sockets::kPoller};
    WorkGuard guard{loop.io().get_executor()};
    std::unique_ptr<Worker> worker;
    std::thread thread;
  };
  // A table on its way to the workers.
  struct Pending {
    Applied applied;
    std::uint64_t number = 0;         // in the order of publishing
    std::set<SocketAddress> refused;  // not to be opened
    SteadyTime published;
    std::size_t missing = 0;
  };

  State(net::EventLoop& control_loop, Options given, std::function<void(const Applied&)> callback)
      : control(control_loop), options(std::move(given)), applied(std::move(callback)) {
    options.workers = std::max(options.workers, 1);
    series = std::make_shared<SeriesBook>(options.workers, control.scheduler().clock());
    access_log = open_access_log(options.access_log);
    for (int i = 0; i < options.workers; ++i) start_worker(static_cast<std::size_t>(i));
  }

  void start_worker(std::size_t index) {
    Worker::Options worker_options;
    worker_options.index = index;
    worker_options.reuse_port = options.workers > 1;
    worker_options.access_log = access_log;
    worker_options.access_log_sample = options.access_log.sample;
    worker_options.settings = options.settings;
    auto& retries = worker_options.settings.retry.min_per_second;  // this worker's part
    retries = (retries + options.workers - 1) / options.workers;
    auto& seat = *seats.emplace_back(std::make_unique<Seat>());
    seat.worker = std::make_unique<Worker>(seat.loop, series->limits().of(index), std::move(worker_options));
    seat.thread = std::thread([&seat] { seat.loop.run(); });
  }

  // Of a table that is about to go to the workers.
  void claim_ports(Pending& pending) {
    for (const auto& port : compiled->ports) {
      const auto address = socket_address(port);
      const auto claimed = claims.claim(address, pending.number);
      if (claimed) continue;
      pending.refused.insert(address);
      pending.applied.failed.emplace_back(to_string(address), claimed.error());
    }
  }

  // On the control thread, a worker at a time.
  void taken(const std::shared_ptr<Pending>& pending, const Worker::Failures& failures) {
    auto& failed = pending->applied.failed;
    for (const auto& failure : failures) {
      const bool known =
          std::any_of(failed.begin(), failed.end(), [&](const auto& f) { return f.first == failure.first; });
      if (!known) failed.push_back(failure);
    }
    if (--pending->missing != 0) return;
    pending->applied.took = control.scheduler().clock().steady_now() - pending->published;
    claims.taken(pending->number);
    series->applied(pending->applied.table->generation, pending->applied.took);
    if (applied) applied(pending->applied);
  }

  net::EventLoop& control;
  Options options;
  std::function<void(const Applied&)> applied;
  std::shared_ptr<SeriesBook> series;
  std::shared_ptr<AccessLog> access_log;
  std::vector<std::unique_ptr<Seat>> seats;
  routing::TablePtr table;
  routing::CompiledTablePtr compiled;
  PortClaims claims;
  std::uint64_t tables = 0;  // published so far
  bool drained = false;
  std::shared_ptr<State*> alive =
      std::make_shared<State*>(this);  // what workers post back finds out whether we are still here
};

Runtime::Runtime(net::EventLoop& control, Options options, std::function<void(const Applied&)> applied)
    : state_(std::make_unique<State>(control, std::move(options), std::move(applied))) {}

Runtime::~Runtime() { drain(); }

void Runtime::publish(routing::TablePtr table) {
  if (state_->drained) return;
  State& state = *state_;
  auto pending = std::make_shared<State::Pending>();
  pending->applied.table = table;
  pending->number = ++state.tables;
  pending->published = state.control.scheduler().clock().steady_now();
  pending->missing = state.seats.size();
  state.table = table;
  state.compiled = routing::compile(std::move(table), state.compiled.get());
  for (const auto& problem : state.compiled->problems)
    log::warning("route problem", {{"at", problem.place}, {"problem", problem.detail}});
  state.claim_ports(*pending);
  const ServingTablePtr serving = state.series->resolve(state.compiled);
  for (const auto& seat : state.seats) {
    Worker* worker = seat->worker.get();
    seat->loop.post([worker, serving, pending, &control = state.control, alive = std::weak_ptr(state.alive)] {
      control.post([failures = worker->take(serving, pending->refused), pending, alive] {
        if (const auto state = alive.lock()) (*state)->taken(pending, failures);
      });
    });
  }
}

routing::TablePtr Runtime::table() const { return state_->table; }

metrics::TrafficCounts Runtime::traffic() const { return state_->series->traffic(); }

std::shared_ptr<prometheus::Collectable> Runtime::collectable() const {
  return make_collector(state_->series);
}

void Runtime::drain() {
  if (std::exchange(state_->drained, true)) return;
  for (const auto& seat : state_->seats) {
    seat->loop.post([seat = seat.get(), timeout = state_->options.settings.drain_timeout] {
      seat->worker->drain(timeout, [seat] { seat->loop.stop(); });
    });
  }
  for (const auto& seat : state_->seats) seat->thread.join();
  for (const auto& seat : state_->seats) seat->worker.reset();
}

}  // namespace tidegate::proxy
