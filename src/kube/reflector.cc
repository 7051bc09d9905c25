// SPDX-License-Identifier: Apache-2.0
#include "kube/reflector.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "kube/backoff.h"
#include "kube/limits.h"

namespace tidegate::kube {

struct Reflector::State : std::enable_shared_from_this<State> {
  State(Client& client, api::Resource resource, ListOptions options, Sink& sink, std::function<void()> synced,
        Unknown unknown)
      : client(client),
        resource(resource),
        options(std::move(options)),
        sink(sink),
        synced(std::move(synced)),
        unknown(unknown),
        backoff(kRetryMin, kRetryMax, client.random()) {}

  void list();
  static Task<void> list_once(std::shared_ptr<State> self);
  void on_list(Result<List> list);
  void fill(std::vector<Json> items);
  void watch();
  void on_event(std::string_view type, Json object);
  void on_end(Result<void> result);
  void later(const Error& error, void (State::*next)());
  void recovered();

  Client& client;
  const api::Resource resource;
  const ListOptions options;
  Sink& sink;
  std::function<void()> synced;
  const Unknown unknown;
  Backoff backoff;
  std::string resource_version;
  std::unique_ptr<session::HttpClient::Handle> handle;
  std::unique_ptr<Scheduler::Timer> timer;
  SteadyTime watch_began{};
  int failures = 0;  // in a row, without an event or a list between them
  bool stopped = false;
};

void Reflector::State::list() { net::spawn(client.io(), list_once(shared_from_this())); }

Task<void> Reflector::State::list_once(std::shared_ptr<State> self) {
  if (self->stopped) co_return;
  auto list = co_await self->client.list(self->resource, self->options);
  if (!self->stopped) self->on_list(std::move(list));
}

void Reflector::State::on_list(Result<List> list) {
  const auto self = shared_from_this();  // what the sink tells may be the end of this reflector
  if (!list) {
    const bool absent = unknown == Unknown::kEmpty && list.error().code == ErrorCode::kNotFound;
    if (absent && synced) fill({});
    if (!stopped) later(list.error(), &State::list);
    return;
  }
  resource_version = list->resource_version;
  fill(std::move(list->items));
  if (stopped) return;
  recovered();
  watch();
}

void Reflector::State::fill(std::vector<Json> items) {
  sink.replace(std::move(items));
  if (auto tell = std::exchange(synced, {}); tell && !stopped) tell();
}

void Reflector::State::watch() {
  watch_began = client.scheduler().clock().steady_now();
  Client::WatchCallbacks callbacks;
  callbacks.on_event = [weak = weak_from_this()](std::string_view type, Json object) {
    if (auto self = weak.lock()) self->on_event(type, std::move(object));
  };
  callbacks.on_end = [weak = weak_from_this()](Result<void> result) {
    if (auto self = weak.lock()) self->on_end(std::move(result));
  };
  handle = client.watch(resource, options, resource_version, std::move(callbacks));
}

void Reflector::State::on_event(std::string_view type, Json object) {
  if (auto version = json::string_at(object, "metadata.resourceVersion"); !version.empty()) {
    resource_version = std::move(version);
  }
  recovered();
  if (type == "DELETED") {
    sink.remove(object);
  } else if (type != "BOOKMARK") {
    sink.put(std::move(object));
  }
}

void Reflector::State::on_end(Result<void> result) {
  if (stopped) return;
  const Duration lasted = client.scheduler().clock().steady_now() - watch_began;
  if (result) {
    if (lasted < kSteadyWatch)
      return later(Error{ErrorCode::kUnavailable, "the watch ended at once"}, &State::watch);
    timer = client.scheduler().after(Duration(0), [this] { watch(); });
    return;
  }
  // Only a server that is away leaves our place in its history valid beyond doubt. The first kGone is the
  // normal course of things.
  const bool away =
      result.error().code == ErrorCode::kUnavailable || result.error().code == ErrorCode::kTimeout;
  if (result.error().code == ErrorCode::kGone && failures == 0) {
    ++failures;
    return list();
  }
  later(result.error(), away && failures < kWatchFailures ? &State::watch : &State::list);
}

void Reflector::State::later(const Error& error, void (State::*next)()) {
  const Duration delay = backoff.next();
  // Said once an outage: the tries go on for as long as it lasts.
  const auto say = failures++ == 0 ? &log::warning : &log::debug;
  say("lost sight of the API server's objects",
      {{"resource", resource.plural}, {"error", error.detail}, {"again_in", text::format_duration(delay)}});
  timer = client.scheduler().after(delay, [this, next] { (this->*next)(); });
}

void Reflector::State::recovered() {
  failures = 0;
  backoff.reset();
}

Reflector::Reflector(Client& client, api::Resource resource, ListOptions options, Sink& sink,
                     std::function<void()> synced, Unknown unknown)
    : state_(
          std::make_shared<State>(client, resource, std::move(options), sink, std::move(synced), unknown)) {
  state_->list();
}

Reflector::~Reflector() {
  state_->stopped = true;
  state_->handle.reset();
  state_->timer.reset();
}

}  // namespace tidegate::kube
