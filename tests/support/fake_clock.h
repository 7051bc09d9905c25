// SPDX-License-Identifier: Apache-2.0
// Time that stands still until a test moves it, as Clock and as Scheduler.
#pragma once

#include <cstdint>
#include <map>

#include "base/clock.h"

namespace tidegate::test {

class FakeScheduler final : public Scheduler, private Clock {
 public:
  explicit FakeScheduler(TimePoint start = TimePoint(std::chrono::seconds(1'800'000'000))) : now_(start) {}

  const Clock& clock() const override { return *this; }
  std::unique_ptr<Timer> after(Duration delay, std::function<void()> callback) override;
  void post(std::function<void()> callback) override;

  // Runs what falls due, in order of time, moving the clock to each.
  void advance(Duration by);
  void run_posted() { advance(Duration(0)); }
  std::size_t pending() const { return due_.size(); }

 private:
  TimePoint now() const override { return now_; }
  SteadyTime steady_now() const override { return SteadyTime(now_.time_since_epoch()); }

  struct Entry;
  using Id = std::pair<TimePoint, std::uint64_t>;
  TimePoint now_;
  std::uint64_t next_ = 0;
  std::map<Id, std::function<void()>> due_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tidegate::test
