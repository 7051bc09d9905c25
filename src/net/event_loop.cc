// SPDX-License-Identifier: Apache-2.0
#include "net/event_loop.h"

#include <utility>

#include "net/poller.h"

namespace tidegate::net {
namespace {

using SteadyTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                               asio::io_context::executor_type>;

class TimerHandle final : public Scheduler::Timer {
 public:
  TimerHandle(asio::io_context& io, Duration delay, std::function<void()> callback) : timer_(io, delay) {
    timer_.async_wait([alive = std::weak_ptr<bool>(alive_), callback = std::move(callback)](auto error) {
      // An expired timer whose handle is gone by now must not fire, though its completion was queued before.
      if (!error && !alive.expired()) callback();
    });
  }

 private:
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  SteadyTimer timer_;
};

// The time of a loop's events.
class PollerClock final : public Clock {
 public:
  explicit PollerClock(Poller& poller) : poller_(poller) {}
  TimePoint now() const override { return system_clock().now(); }
  SteadyTime steady_now() const override { return poller_.now(); }

 private:
  Poller& poller_;
};

class PollerScheduler final : public Scheduler {
 public:
  explicit PollerScheduler(Poller& poller) : poller_(poller), clock_(poller) {}
  const Clock& clock() const override { return clock_; }
  std::unique_ptr<Timer> after(Duration delay, std::function<void()> callback) override {
    return std::make_unique<TimerHandle>(poller_.io(), delay, std::move(callback));
  }
  void post(std::function<void()> callback) override { poller_.post(std::move(callback)); }

 private:
  Poller& poller_;
  PollerClock clock_;
};

class AsioScheduler final : public Scheduler {
 public:
  explicit AsioScheduler(asio::io_context& io) : io_(io) {}
  const Clock& clock() const override { return system_clock(); }
  std::unique_ptr<Timer> after(Duration delay, std::function<void()> callback) override {
    return std::make_unique<TimerHandle>(io_, delay, std::move(callback));
  }
  void post(std::function<void()> callback) override { asio::post(io_, std::move(callback)); }

 private:
  asio::io_context& io_;
};

std::unique_ptr<Scheduler> make_scheduler(asio::io_context& io, EventLoop::Sockets sockets) {
  if (sockets == EventLoop::Sockets::kAsio) return std::make_unique<AsioScheduler>(io);
  return std::make_unique<PollerScheduler>(asio::make_service<Poller>(io));
}

}  // namespace

EventLoop::EventLoop(Sockets sockets) : scheduler_(make_scheduler(io_, sockets)) {}
EventLoop::~EventLoop() = default;

Scheduler& EventLoop::scheduler() { return *scheduler_; }
void EventLoop::run() { io_.run(); }
void EventLoop::stop() { io_.stop(); }
void EventLoop::post(std::function<void()> callback) { asio::post(io_, std::move(callback)); }

}  // namespace tidegate::net
