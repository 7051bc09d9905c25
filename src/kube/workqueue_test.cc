// SPDX-License-Identifier: Apache-2.0
#include "kube/workqueue.h"

#include <gtest/gtest.h>

#include <deque>

#include "tests/support/fake_clock.h"

namespace tidegate::kube {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

// A reconcile that notes what it is called with, waits where the test holds it, and answers as told.
struct Bench {
  explicit Bench(std::size_t parallel = 1) { reset(parallel); }

  void reset(std::size_t parallel) {
    queue.emplace(io, scheduler, WorkQueue::Options{"test", parallel},
                  [this](api::Key key) { return reconcile(key); });
  }

  Task<ReconcileResult> reconcile(api::Key key) {
    begun.push_back(key.name);
    if (held) {
      auto start = [this](std::function<void(int)> done) { waiting.push_back(std::move(done)); };
      co_await net::suspend<int>(start);
    }
    ended.push_back(key.name);
    if (fail) co_return Error{ErrorCode::kUnavailable, "away"};
    co_return Requeue{after};
  }

  void settle() {
    io.restart();
    io.poll();
  }
  void advance(Duration by) {
    scheduler.advance(by);
    settle();
  }
  void release() {
    waiting.front()(0);
    waiting.pop_front();
    settle();
  }

  asio::io_context io{1};
  test::FakeScheduler scheduler;
  bool held = false, fail = false;
  std::optional<Duration> after;
  Names begun, ended;
  std::deque<std::function<void(int)>> waiting;
  std::optional<WorkQueue> queue;
};

api::Key key(std::string name) { return {"ns", std::move(name)}; }

TEST(WorkQueue, GathersUntilStarted) {
  Bench bench;
  bench.queue->add(key("a"));
  bench.settle();
  EXPECT_EQ(bench.begun, Names{});
  EXPECT_EQ(bench.queue->depth(), 1u);
  bench.queue->start();
  bench.settle();
  EXPECT_EQ(bench.begun, Names{"a"});
  EXPECT_TRUE(bench.queue->idle());
}

TEST(WorkQueue, WorksOnAKeyOnceHoweverOftenItIsAdded) {
  Bench bench;
  for (int i = 0; i < 5; ++i) bench.queue->add(key("a"));
  bench.queue->add(key("b"));
  bench.queue->start();
  bench.settle();
  EXPECT_EQ(bench.begun, (Names{"a", "b"}));
}

TEST(WorkQueue, UrgentKeysGoFirst) {
  Bench bench;
  for (const auto* name : {"a", "b", "c"}) bench.queue->add(key(name));
  bench.queue->add_urgent(key("d"));
  bench.queue->add_urgent(key("c"));
  bench.queue->add(key("d"));  // does not make it less urgent
  bench.queue->start();
  bench.settle();
  EXPECT_EQ(bench.begun, (Names{"d", "c", "a", "b"}));
}

TEST(WorkQueue, AKeyAddedWhileWorkedOnComesAgainAfterAndNeverTwiceAtATime) {
  Bench bench(4);
  bench.held = true;
  bench.queue->start();
  bench.queue->add(key("a"));
  bench.settle();
  bench.queue->add(key("a"));
  bench.queue->add(key("a"));
  bench.settle();
  EXPECT_EQ(bench.begun, Names{"a"});
  bench.release();
  EXPECT_EQ(bench.begun, (Names{"a", "a"}));
  bench.release();
  EXPECT_EQ(bench.ended, (Names{"a", "a"}));
  EXPECT_TRUE(bench.queue->idle());
}

TEST(WorkQueue, AnUrgentAddOfAKeyWorkedOnIsUrgentAfterwards) {
  Bench bench;
  bench.held = true;
  bench.queue->start();
  bench.queue->add(key("a"));
  bench.settle();
  bench.queue->add(key("b"));
  bench.queue->add_urgent(key("a"));
  bench.release();
  EXPECT_EQ(bench.begun, (Names{"a", "a"}));
}

TEST(WorkQueue, WorksOnAsManyKeysAtATimeAsTold) {
  Bench bench(2);
  bench.held = true;
  bench.queue->start();
  for (const auto* name : {"a", "b", "c"}) bench.queue->add(key(name));
  bench.settle();
  EXPECT_EQ(bench.begun, (Names{"a", "b"}));
  EXPECT_EQ(bench.queue->depth(), 1u);
  EXPECT_FALSE(bench.queue->idle());
  bench.release();
  EXPECT_EQ(bench.begun, (Names{"a", "b", "c"}));
}

TEST(WorkQueue, AKeyWhoseReconcileAsksForItComesAgainThen) {
  Bench bench;
  bench.after = 30s;
  bench.queue->start();
  bench.queue->add(key("a"));
  bench.settle();
  bench.advance(29s);
  EXPECT_EQ(bench.begun, Names{"a"});
  bench.advance(1s);
  EXPECT_EQ(bench.begun, (Names{"a", "a"}));
}

TEST(WorkQueue, ADelayIsReplacedByAShorterOneOnly) {
  Bench bench;
  bench.queue->start();
  bench.queue->add_after(key("a"), 10s);
  bench.queue->add_after(key("a"), 20s);
  bench.queue->add_after(key("a"), 5s);
  bench.advance(5s);
  EXPECT_EQ(bench.begun, Names{"a"});
  bench.advance(60s);
  EXPECT_EQ(bench.begun, Names{"a"});
}

TEST(WorkQueue, FailuresComeAgainAfterGrowingDelaysUntilSuccess) {
  Bench bench;
  bench.fail = true;
  bench.queue->start();
  bench.queue->add(key("a"));
  bench.settle();
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 10; ++i) {
    const auto before = bench.begun.size();
    Duration waited = 0ms;
    for (; bench.begun.size() == before; waited += 50ms) bench.advance(50ms);
    waits.push_back(waited.count());
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{50, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000}));
  bench.fail = false;
  bench.advance(10s);
  bench.fail = true;
  bench.queue->add(key("a"));
  bench.settle();
  const auto before = bench.begun.size();
  bench.advance(50ms);
  EXPECT_EQ(bench.begun.size(), before + 1) << "a success starts the delays anew";
}

TEST(WorkQueue, WhatIsForgottenDoesNotComeAgain) {
  Bench bench;
  bench.fail = true;
  bench.queue->start();
  bench.queue->add(key("a"));
  bench.settle();
  bench.queue->forget(key("a"));
  bench.advance(60s);
  EXPECT_EQ(bench.begun, Names{"a"});
}

TEST(WorkQueue, DestructionAbandonsReconcilesUnderWay) {
  Bench bench;
  bench.held = true;
  bench.queue->start();
  bench.queue->add(key("a"));
  bench.queue->add_after(key("b"), 1s);
  bench.settle();
  ASSERT_EQ(bench.waiting.size(), 1u);
  bench.queue.reset();
  bench.release();
  bench.advance(60s);
  EXPECT_EQ(bench.begun, Names{"a"});
  EXPECT_EQ(bench.ended, Names{});
}

}  // namespace
}  // namespace tidegate::kube
