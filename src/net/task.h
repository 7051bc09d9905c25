// SPDX-License-Identifier: Apache-2.0
// Coroutines of the control plane. Task<T> is Asio's awaitable; the data plane uses callbacks instead.
// Rules (GCC 12 destroys some temporaries of a co_await expression twice): arguments of a call that is
// awaited are named locals, never brace-initialised temporaries or capturing lambdas; parameters of
// coroutines are taken by value unless the caller outlives them.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "net/asio.h"

namespace tidegate {

template <typename T>
using Task = asio::awaitable<T>;

namespace net {

// Runs the task to its end on `io`; an exception that leaves it is a programmer's error and aborts with its
// text.
void spawn(asio::io_context& io, Task<void> task);

// Resumes after `delay` of the scheduler's time.
Task<void> sleep_for(Scheduler& scheduler, Duration delay);

// Turns a callback-style operation into a Task: co_await net::suspend<T>([&](std::function<void(T)> done) {
// ... }). `done` must be called exactly once, on the loop's thread. Name the lambda before awaiting.
template <typename T, typename Start>
Task<T> suspend(Start start) {
  auto initiate = [start = std::move(start)](auto handler) mutable {
    // Posted, so that the coroutine is never resumed from within its own suspension.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto executor = asio::get_associated_executor(*shared);
    start([shared, executor](T value) {
      auto kept = std::make_shared<T>(std::move(value));
      asio::post(executor, [shared, kept] { (*shared)(std::move(*kept)); });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(std::move(initiate),
                                                                                  asio::use_awaitable);
}

}  // namespace net
}  // namespace tidegate
