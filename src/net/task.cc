// SPDX-License-Identifier: Apache-2.0
#include "net/task.h"

#include <cstdio>
#include <exception>

#include "base/assert.h"

namespace tidegate::net {

void spawn(asio::io_context& io, Task<void> task) {
  asio::co_spawn(io, std::move(task), [](std::exception_ptr error) {
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& escaped) {
      std::fprintf(stderr, "exception left a task: %s\n", escaped.what());
    }
    TIDEGATE_ASSERT(!"no exception leaves a task");
  });
}

Task<void> sleep_for(Scheduler& scheduler, Duration delay) {
  std::unique_ptr<Scheduler::Timer> timer;
  auto start = [&](std::function<void(bool)> done) {
    timer = scheduler.after(delay, [done] { done(true); });
  };
  co_await suspend<bool>(start);
}

}  // namespace tidegate::net
