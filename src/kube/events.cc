// SPDX-License-Identifier: Apache-2.0
#include "kube/events.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/core.h"
#include "base/log.h"
#include "base/text.h"
#include "kube/event_series.h"
#include "kube/limits.h"

namespace tidegate::kube {

namespace {

constexpr std::size_t kMaxObjectPart = 253 - 17;  // of an Event's name; the rest is a dot and 16 hex digits

// What stays the same through a series.
struct About {
  api::Resource resource;
  api::Meta meta;
  std::string type, reason, message;
};

// Cut without leaving half a UTF-8 character.
std::string cut(std::string_view text, std::size_t max) {
  if (text.size() <= max) return std::string(text);
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0) == 0x80) --max;
  return std::string(text.substr(0, max));
}

std::string event_name(const std::string& object, std::uint64_t random) {
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(random));
  return object.substr(0, kMaxObjectPart) + "." + hex;
}

Json involved(const About& about) {
  Json object = {{"apiVersion", about.resource.api_version()},
                 {"kind", about.resource.kind},
                 {"name", about.meta.name},
                 {"uid", about.meta.uid},
                 {"resourceVersion", about.meta.resource_version}};
  if (!about.meta.ns.empty()) object["namespace"] = about.meta.ns;
  return object;
}

// Events about cluster-scoped objects go where kubectl looks for them.
std::string event_namespace(const About& about) { return about.meta.ns.empty() ? "default" : about.meta.ns; }

Json make_event(const About& about, const EventSeries& series, const std::string& component) {
  return {{"apiVersion", "v1"},
          {"kind", "Event"},
          {"metadata", {{"namespace", event_namespace(about)}, {"name", series.name}}},
          {"involvedObject", involved(about)},
          {"type", about.type},
          {"reason", about.reason},
          {"message", about.message},
          {"source", {{"component", component}}},
          {"reportingComponent", component},
          {"reportingInstance", ""},
          {"firstTimestamp", text::format_time(series.first)},
          {"lastTimestamp", text::format_time(series.last)},
          {"count", series.count}};
}

bool may_pass(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout ||
         error.code == ErrorCode::kConflict;
}

}  // namespace

struct EventRecorder::State {
  State(Client& client, std::string component) : client(&client), component(std::move(component)) {}

  static Task<void> write(std::shared_ptr<State> self, std::shared_ptr<EventSeries> series, About about);
  static Task<Result<Json>> write_once(std::shared_ptr<State> self, std::shared_ptr<EventSeries> series,
                                       About about);
  static Task<Result<Json>> write_through_outages(std::shared_ptr<State> self,
                                                  std::shared_ptr<EventSeries> series, About about);

  Client* client;  // null once the recorder is gone
  const std::string component;
  EventLog log;
};

// Until the server holds what the series counts; one write of a series at a time.
Task<void> EventRecorder::State::write(std::shared_ptr<State> self, std::shared_ptr<EventSeries> series,
                                       About about) {
  while (series->changed && self->client) {
    series->changed = false;
    auto written = co_await write_through_outages(self, series, about);
    if (!written && written.error().code == ErrorCode::kNotFound && !series->name.empty() && self->client) {
      // Expired or deleted meanwhile: a new one, unless creating it is what failed.
      series->name.clear();
      written = co_await write_once(self, series, about);
    }
    if (!written) {
      tidegate::log::warning("event not written", {{"object", api::to_string(about.meta.key())},
                                                   {"reason", about.reason},
                                                   {"error", written.error().detail}});
      break;
    }
  }
  series->writing = false;
}

// An event is the only trace of some steps. A conflict is another event of that name, or a server that hides
// what it did: the next try has another name.
Task<Result<Json>> EventRecorder::State::write_through_outages(std::shared_ptr<State> self,
                                                               std::shared_ptr<EventSeries> series,
                                                               About about) {
  auto written = co_await write_once(self, series, about);
  for (Duration wait = kEventRetryMin; wait <= kEventRetryMax && !written && may_pass(written.error());
       wait *= 2) {
    co_await net::sleep_for(self->client->scheduler(), wait);
    if (!self->client) break;
    written = co_await write_once(self, series, about);
  }
  co_return written;
}

Task<Result<Json>> EventRecorder::State::write_once(std::shared_ptr<State> self,
                                                    std::shared_ptr<EventSeries> series, About about) {
  if (!series->name.empty()) {
    const api::Key key{event_namespace(about), series->name};
    Json patch = {{"count", series->count}, {"lastTimestamp", text::format_time(series->last)}};
    co_return co_await self->client->patch(api::kEvents, key, PatchType::kMerge, std::move(patch));
  }
  series->name = event_name(about.meta.name, self->client->random());
  Json event = make_event(about, *series, self->component);
  auto created = co_await self->client->create(api::kEvents, std::move(event));
  if (!created) series->name.clear();
  co_return created;
}

EventRecorder::EventRecorder(Client& client, std::string component)
    : state_(std::make_shared<State>(client, std::move(component))) {}

EventRecorder::~EventRecorder() { state_->client = nullptr; }

void EventRecorder::record(const api::Resource& resource, const api::Meta& about, Type type,
                           std::string_view reason, std::string_view message) {
  About event{resource, about, type == Type::kNormal ? "Normal" : "Warning", std::string(reason),
              cut(message, kMaxEventMessage)};
  std::string object = std::string(resource.kind) + "\n" + api::to_string(about.key()) + "\n" + about.uid;
  const std::string key = object + "\n" + event.type + "\n" + event.reason + "\n" + event.message;
  auto series = state_->log.note(object, key, state_->client->scheduler().clock().now());
  if (!series || std::exchange(series->writing, true)) return;
  net::spawn(state_->client->io(), State::write(state_, std::move(series), std::move(event)));
}

}  // namespace tidegate::kube
