// SPDX-License-Identifier: Apache-2.0
// One thread's event loop: an io_context with concurrency hint 1, its Scheduler and its coarse clock. The
// control plane has one, each proxy worker has one. Thread: whichever runs run(); post() alone may be called
// from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "net/asio.h"

namespace tidegate::net {

class EventLoop {
 public:
  // How its TCP streams learn that they can go on: by Asio, or by a Poller of their own, which costs less
  // for each read, has a clock that is read once for several of them, and makes run() last until stop().
  enum class Sockets : std::uint8_t { kAsio, kPoller };
  explicit EventLoop(Sockets sockets = Sockets::kAsio);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  asio::io_context& io() { return io_; }
  Scheduler& scheduler();  // real time; tests hand their own Scheduler to whatever takes one

  void run();                                 // until stop(), or until nothing is left to do
  void stop();                                // any thread
  void post(std::function<void()> callback);  // any thread

 private:
  asio::io_context io_{1};
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace tidegate::net
