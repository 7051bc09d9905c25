// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_clock.h"

namespace tidegate::test {

struct FakeScheduler::Entry final : Scheduler::Timer {
  Entry(FakeScheduler& owner, Id id) : owner(owner), id(id), alive(owner.alive_) {}
  ~Entry() override {
    if (!alive.expired()) owner.due_.erase(id);
  }
  FakeScheduler& owner;
  Id id;
  std::weak_ptr<bool> alive;
};

std::unique_ptr<Scheduler::Timer> FakeScheduler::after(Duration delay, std::function<void()> callback) {
  const Id id{now_ + delay, next_++};
  due_.emplace(id, std::move(callback));
  return std::make_unique<Entry>(*this, id);
}

void FakeScheduler::post(std::function<void()> callback) {
  due_.emplace(Id{now_, next_++}, std::move(callback));
}

void FakeScheduler::advance(Duration by) {
  const TimePoint until = now_ + by;
  while (!due_.empty() && due_.begin()->first.first <= until) {
    auto node = due_.extract(due_.begin());
    now_ = std::max(now_, node.key().first);
    node.mapped()();
  }
  now_ = until;
}

}  // namespace tidegate::test
