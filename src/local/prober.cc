// SPDX-License-Identifier: Apache-2.0
#include "local/prober.h"

#include <algorithm>

#include "base/text.h"
#include "local/limits.h"
#include "net/stream.h"
#include "session/http_client.h"

namespace tidegate::local {
namespace {

constexpr Duration kEagerPeriod = 100ms;
constexpr Duration kEagerFor = 10s;

}  // namespace

std::optional<bool> ProbeCounter::observe(bool succeeded) {
  in_a_row_ = succeeded == last_ ? in_a_row_ + 1 : 1;
  last_ = succeeded;
  if (succeeded == verdict_) return std::nullopt;
  if (in_a_row_ < (succeeded ? success_threshold_ : failure_threshold_)) return std::nullopt;
  verdict_ = succeeded;
  return verdict_;
}

std::optional<std::uint16_t> resolve_probe_port(const api::Container& container, const std::string& port) {
  if (const auto number = text::parse_int(port)) {
    if (*number < 1 || *number > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(*number);
  }
  for (const auto& candidate : container.ports) {
    if (candidate.name == port) return static_cast<std::uint16_t>(candidate.port);
  }
  return std::nullopt;
}

struct Prober::State : std::enable_shared_from_this<State> {
  State(asio::io_context& loop, Scheduler& timers, Options wanted, Callbacks calls)
      : io(loop),
        scheduler(timers),
        options(std::move(wanted)),
        callbacks(std::move(calls)),
        counter(options.probe, options.kind == Kind::kLiveness),
        began(timers.clock().steady_now()) {}

  bool eager() const {
    return options.kind == Kind::kReadiness && !succeeded_once &&
           scheduler.clock().steady_now() - began < kEagerFor;
  }

  void wait(Duration delay) {
    timer = scheduler.after(delay, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->attempt();
    });
  }

  void attempt() {
    if (options.probe.http_path.empty()) {
      attempt_tcp();
    } else {
      net::spawn(io, attempt_http(shared_from_this()));
    }
  }

  static Task<void> attempt_http(std::shared_ptr<State> self) {
    session::Endpoint endpoint;
    endpoint.address = {self->options.ip, self->options.port};
    const std::string authority = net::to_string(endpoint.address);
    session::HttpClient client(self->io, self->scheduler, endpoint, authority,
                               kMaxProbeBody);  // a connection of its own
    session::ClientRequest request;
    request.target = self->options.probe.http_path;
    request.timeout = std::chrono::seconds(self->options.probe.timeout_seconds);
    request.headers.add("User-Agent", "kube-probe/tidegate");
    request.headers.add("Connection", "close");
    const auto response = co_await client.send(std::move(request));
    if (!response) {
      self->report(response.error().detail);
    } else if (response->status < 200 || response->status >= 400) {
      self->report("HTTP probe failed with statuscode: " + std::to_string(response->status));
    } else {
      self->report({});
    }
  }

  void attempt_tcp() {
    net::ConnectOptions target;
    target.address = {options.ip, options.port};
    handshake =
        net::connect(io, target, [weak = weak_from_this()](Result<std::unique_ptr<net::Stream>> stream) {
          if (const auto self = weak.lock()) self->report(stream ? std::string() : stream.error().detail);
        });
    timer = scheduler.after(std::chrono::seconds(options.probe.timeout_seconds), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->report("timed out");
    });
  }

  // Empty: it succeeded.
  void report(const std::string& failure) {
    if (stopped) return;
    handshake.reset();
    timer.reset();
    const bool was_eager = eager();
    succeeded_once = succeeded_once || failure.empty();
    const auto self = shared_from_this();  // a callback may end us
    if (!failure.empty() && !was_eager) callbacks.unhealthy(failure);
    if (stopped) return;
    if (const auto turned = counter.observe(failure.empty())) callbacks.turned(*turned);
    if (stopped) return;
    const Duration period = std::chrono::seconds(options.probe.period_seconds);
    wait(eager() ? std::min(period, kEagerPeriod) : period);
  }

  asio::io_context& io;
  Scheduler& scheduler;
  Options options;
  Callbacks callbacks;
  ProbeCounter counter;
  SteadyTime began;
  bool succeeded_once = false, stopped = false;
  std::unique_ptr<Scheduler::Timer> timer;
  std::unique_ptr<net::Handshake> handshake;
};

Prober::Prober(asio::io_context& io, Scheduler& scheduler, Options options, Callbacks callbacks)
    : state_(std::make_shared<State>(io, scheduler, std::move(options), std::move(callbacks))) {
  state_->wait(std::chrono::seconds(state_->options.probe.initial_delay_seconds));
}

Prober::~Prober() {
  state_->stopped = true;
  state_->timer.reset();
  state_->handshake.reset();
}

}  // namespace tidegate::local
