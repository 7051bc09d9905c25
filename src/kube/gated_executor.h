// SPDX-License-Identifier: Apache-2.0
// An executor whose coroutines are abandoned when their owner goes: once the gate has expired, what it is
// asked to run is dropped, and with it the suspended coroutine and its locals. Not a queue: it hands on to
// the io_context. Thread: the io_context's. Owns: nothing.
#pragma once

#include <memory>
#include <utility>

#include "net/asio.h"

namespace tidegate::kube {

class GatedExecutor {
 public:
  GatedExecutor(asio::io_context& io, std::weak_ptr<void> gate) : io_(&io), gate_(std::move(gate)) {}

  // The least that asio::any_io_executor asks of what it holds.
  asio::execution_context& query(asio::execution::context_t) const noexcept { return *io_; }
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
    return asio::execution::blocking.never;
  }
  GatedExecutor require(asio::execution::blocking_t::never_t) const { return *this; }

  template <typename Function>
  void execute(Function&& function) const {
    asio::post(*io_, [gate = gate_, function = std::forward<Function>(function)]() mutable {
      if (!gate.expired()) function();
    });
  }

  friend bool operator==(const GatedExecutor& a, const GatedExecutor& b) noexcept {
    return a.io_ == b.io_ && !a.gate_.owner_before(b.gate_) && !b.gate_.owner_before(a.gate_);
  }
  friend bool operator!=(const GatedExecutor& a, const GatedExecutor& b) noexcept { return !(a == b); }

 private:
  asio::io_context* io_;
  std::weak_ptr<void> gate_;
};

}  // namespace tidegate::kube
