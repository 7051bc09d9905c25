// SPDX-License-Identifier: Apache-2.0
#include "kube/workqueue.h"

#include <algorithm>
#include <deque>
#include <map>

#include "base/log.h"
#include "base/text.h"
#include "kube/gated_executor.h"
#include "kube/limits.h"

namespace tidegate::kube {

namespace {

enum class Urgency { kNone, kNormal, kUrgent };

Duration backoff(int failures) {
  Duration delay = kBackoffMin;
  for (int i = 1; i < failures && delay < kBackoffMax; ++i) delay *= 2;
  return std::min(delay, kBackoffMax);
}

}  // namespace

struct WorkQueue::State : std::enable_shared_from_this<State> {
  struct Delayed {
    SteadyTime due;
    std::unique_ptr<Scheduler::Timer> timer;
  };

  State(asio::io_context& io, Scheduler& scheduler, Options options, Reconcile reconcile)
      : io(io), scheduler(scheduler), options(std::move(options)), reconcile(std::move(reconcile)) {}

  void add(const api::Key& key, Urgency urgency);
  void add_after(const api::Key& key, Duration delay);
  void pump();
  api::Key take();
  void finish(const api::Key& key, ReconcileResult result);
  void retry(const api::Key& key, const Error& error);
  static Task<void> run(std::shared_ptr<State> state, api::Key key);

  asio::io_context& io;
  Scheduler& scheduler;
  const Options options;
  const Reconcile reconcile;
  std::shared_ptr<bool> gate =
      std::make_shared<bool>(true);  // gone with the WorkQueue, not with the last coroutine
  bool started = false;
  std::deque<api::Key> urgent, normal;
  std::map<api::Key, Urgency> queued;   // what stands in the two above
  std::map<api::Key, Urgency> working;  // and how it was added again meanwhile
  std::map<api::Key, Delayed> delayed;
  std::map<api::Key, int> failures;  // in a row
};

void WorkQueue::State::add(const api::Key& key, Urgency urgency) {
  if (auto it = working.find(key); it != working.end()) {
    it->second = std::max(it->second, urgency);
    return;
  }
  auto [it, fresh] = queued.emplace(key, urgency);
  if (!fresh && it->second >= urgency) return;
  if (!fresh) std::erase(normal, key);
  it->second = urgency;
  (urgency == Urgency::kUrgent ? urgent : normal).push_back(key);
  pump();
}

void WorkQueue::State::add_after(const api::Key& key, Duration delay) {
  const SteadyTime due = scheduler.clock().steady_now() + delay;
  auto it = delayed.find(key);
  if (it != delayed.end() && it->second.due <= due) return;
  auto timer = scheduler.after(delay, [this, key] {  // the timer is ours: it can't outlive this
    const auto node = delayed.extract(key);
    add(key, Urgency::kNormal);
  });
  delayed[key] = Delayed{due, std::move(timer)};
}

api::Key WorkQueue::State::take() {
  auto& from = urgent.empty() ? normal : urgent;
  api::Key key = std::move(from.front());
  from.pop_front();
  queued.erase(key);
  return key;
}

void WorkQueue::State::pump() {
  while (started && !queued.empty() && working.size() < options.parallel) {
    api::Key key = take();
    working.emplace(key, Urgency::kNone);
    asio::co_spawn(GatedExecutor(io, gate), run(shared_from_this(), std::move(key)),
                   [](std::exception_ptr error) {
                     if (error)
                       std::rethrow_exception(error);  // a programmer's error: no Result was made of it
                   });
  }
}

Task<void> WorkQueue::State::run(std::shared_ptr<State> state, api::Key key) {
  auto result = co_await state->reconcile(key);
  state->finish(key, std::move(result));
}

void WorkQueue::State::finish(const api::Key& key, ReconcileResult result) {
  const auto node = working.extract(key);
  if (!result) {
    retry(key, result.error());
  } else {
    failures.erase(key);
    if (result->after) add_after(key, *result->after);
  }
  if (node.mapped() != Urgency::kNone) add(key, node.mapped());
  pump();
}

void WorkQueue::State::retry(const api::Key& key, const Error& error) {
  const int times = ++failures[key];
  const Duration delay = backoff(times);
  // The first conflict is the normal course of things: someone else wrote, and the next look sees it.
  const auto say = error.code == ErrorCode::kConflict && times == 1 ? &log::debug : &log::warning;
  say("reconcile failed", {{"controller", options.controller},
                           {"object", api::to_string(key)},
                           {"error", error.detail},
                           {"again_in", text::format_duration(delay)}});
  add_after(key, delay);
}

WorkQueue::WorkQueue(asio::io_context& io, Scheduler& scheduler, Options options, Reconcile reconcile)
    : state_(std::make_shared<State>(io, scheduler, std::move(options), std::move(reconcile))) {}

WorkQueue::~WorkQueue() {
  state_->gate.reset();
  state_->started = false;
  state_->delayed.clear();
}

void WorkQueue::start() {
  state_->started = true;
  state_->pump();
}

void WorkQueue::add(const api::Key& key) { state_->add(key, Urgency::kNormal); }
void WorkQueue::add_urgent(const api::Key& key) { state_->add(key, Urgency::kUrgent); }
void WorkQueue::add_after(const api::Key& key, Duration delay) { state_->add_after(key, delay); }

void WorkQueue::forget(const api::Key& key) {
  state_->delayed.erase(key);
  state_->failures.erase(key);
}

std::size_t WorkQueue::depth() const { return state_->queued.size(); }
bool WorkQueue::idle() const { return state_->queued.empty() && state_->working.empty(); }

}  // namespace tidegate::kube
