// SPDX-License-Identifier: Apache-2.0
// Keys to reconcile: fair, each key once however often it is added, never two at a time for one key (a key
// added while it is worked on comes again after), urgent ones first. The one place of requeue and back-off
// (invariant I6): failures come again after 50 ms * 2^n, 10 s at most. Thread: control.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/object.h"
#include "base/clock.h"
#include "net/task.h"

namespace tidegate::kube {

// What a reconcile asks for next; an Error means back off and try again.
struct Requeue {
  std::optional<Duration> after;  // nullopt: nothing until something changes
};
using ReconcileResult = Result<Requeue>;

class WorkQueue {
 public:
  struct Options {
    std::string controller;    // for logs and metrics
    std::size_t parallel = 4;  // keys at a time
  };
  using Reconcile = std::function<Task<ReconcileResult>(api::Key)>;

  WorkQueue(asio::io_context& io, Scheduler& scheduler, Options options, Reconcile reconcile);
  ~WorkQueue();  // reconciles under way are abandoned at their next suspension

  void start();  // before it, keys gather
  void add(const api::Key& key);
  void add_urgent(const api::Key& key);                 // ahead of the others: aborts (guarantee G13)
  void add_after(const api::Key& key, Duration delay);  // replaces an earlier delay only by a shorter one
  void forget(const api::Key& key);  // the object is gone: no delays, no back-off (a key that is queued is
                                     // still worked on)
  std::size_t depth() const;
  bool idle() const;  // nothing queued, nothing under way (delays do not count)

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::kube
