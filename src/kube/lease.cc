// SPDX-License-Identifier: Apache-2.0
#include "kube/lease.h"

#include <nlohmann/json.hpp>

#include "api/core.h"
#include "base/log.h"
#include "kube/lease_record.h"

namespace tidegate::kube {

struct LeaderElection::State : std::enable_shared_from_this<State> {
  State(Client& client, Options options) : client(client), options(std::move(options)) {}

  SteadyTime now() const { return client.scheduler().clock().steady_now(); }
  void look_after(Duration delay);
  static Task<void> look(std::shared_ptr<State> self);
  static Task<Result<Json>> take(std::shared_ptr<State> self);
  static Task<void> give(std::shared_ptr<State> self);
  void keep(Json written);
  void missed(const Error& error);
  void lose_after(Duration delay);

  Client& client;
  const Options options;
  std::unique_ptr<Scheduler::Timer> timer, deadline;
  LeaseSight sight;
  Json lease = Json::object();  // as last read or written
  bool leading = false, stopped = false;
  bool failed = false;  // the last try; so that an outage is said once
};

void LeaderElection::State::look_after(Duration delay) {
  if (stopped) return;
  timer = client.scheduler().after(delay, [this] { net::spawn(client.io(), look(shared_from_this())); });
}

Task<void> LeaderElection::State::look(std::shared_ptr<State> self) {
  if (self->stopped) co_return;
  auto taken = co_await take(self);
  if (self->stopped) co_return;
  if (taken) {
    self->keep(std::move(*taken));
  } else {
    self->missed(taken.error());
  }
  self->look_after(kLeaseRetry);
}

// The lease as we wrote it; kConflict where it is another's.
Task<Result<Json>> LeaderElection::State::take(std::shared_ptr<State> self) {
  const api::Key key = self->options.lease;
  auto read = co_await self->client.get(api::kLeases, key);
  if (self->stopped) co_return Error{ErrorCode::kCancelled, "stopped"};
  if (!read && read.error().code != ErrorCode::kNotFound) co_return read.error();
  const bool there = read.has_value();
  Json before = there ? std::move(*read) : Json::object();
  self->sight.look(decode_lease(before), self->now());
  const auto& identity = self->options.identity;
  if (!self->sight.free_for(identity, self->now())) {
    co_return Error{ErrorCode::kConflict, "held by " + self->sight.record.holder};
  }
  Json after = take_lease(std::move(before), key, identity, self->client.scheduler().clock().now());
  if (there) co_return co_await self->client.update(api::kLeases, std::move(after));
  co_return co_await self->client.create(api::kLeases, std::move(after));
}

void LeaderElection::State::keep(Json written) {
  lease = std::move(written);
  sight.look(decode_lease(lease), now());
  failed = false;
  lose_after(kRenewDeadline);
  if (std::exchange(leading, true)) return;
  log::info("leading", {{"lease", api::to_string(options.lease)}, {"identity", options.identity}});
  if (options.started) options.started();
}

void LeaderElection::State::missed(const Error& error) {
  const bool another = error.code == ErrorCode::kConflict;
  if (!std::exchange(failed, true)) {
    const auto say = another ? &log::info : &log::warning;
    say("not leading", {{"lease", api::to_string(options.lease)}, {"reason", error.detail}});
  }
  // Another holder ends our lead at once; an API server that is away only when the deadline passes.
  if (leading && another && !sight.free_for(options.identity, now())) lose_after(Duration(0));
}

void LeaderElection::State::lose_after(Duration delay) {
  deadline = client.scheduler().after(delay, [this] {
    const auto self = shared_from_this();  // `lost` may destroy the election
    if (!std::exchange(leading, false)) return;
    stopped = true;
    timer.reset();
    log::error("lost the lease", {{"lease", api::to_string(options.lease)}, {"identity", options.identity}});
    if (options.lost) options.lost();
  });
}

Task<void> LeaderElection::State::give(std::shared_ptr<State> self) {
  self->stopped = true;
  self->timer.reset();
  self->deadline.reset();
  if (!std::exchange(self->leading, false)) co_return;
  Json free = give_lease(self->lease, self->client.scheduler().clock().now());
  auto written = co_await self->client.update(api::kLeases, std::move(free));
  // A conflict is a renewal of ours that was under way: once more on top of it.
  if (!written && written.error().code == ErrorCode::kConflict) {
    const api::Key key = self->options.lease;
    auto read = co_await self->client.get(api::kLeases, key);
    if (!read || decode_lease(*read).holder != self->options.identity) co_return;
    free = give_lease(std::move(*read), self->client.scheduler().clock().now());
    written = co_await self->client.update(api::kLeases, std::move(free));
  }
  if (!written) log::warning("lease not handed over", {{"error", written.error().detail}});
}

LeaderElection::LeaderElection(Client& client, Options options)
    : state_(std::make_shared<State>(client, std::move(options))) {
  state_->look_after(Duration(0));
}

LeaderElection::~LeaderElection() {
  state_->stopped = true;
  state_->timer.reset();
  state_->deadline.reset();
}

Task<void> LeaderElection::release() { return State::give(state_); }
bool LeaderElection::leading() const { return state_->leading; }

}  // namespace tidegate::kube
