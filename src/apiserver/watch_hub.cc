// SPDX-License-Identifier: Apache-2.0
#include "apiserver/watch_hub.h"

#include <nlohmann/json.hpp>

#include "apiserver/limits.h"
#include "apiserver/type_registry.h"
#include "apiserver/writes.h"

namespace tidegate::apiserver {

WatchHub::WatchHub(Storage& storage, Scheduler& scheduler) : storage_(storage), scheduler_(scheduler) {
  bookmark_timer_ = scheduler_.after(kBookmarkEvery, [this] { send_bookmarks(); });
}

Result<void> WatchHub::start(WatchRequest request, session::Responder responder) {
  remove_closed();
  if (watches_.size() >= kMaxWatches) return Error{ErrorCode::kUnavailable, "too many watches are open"};
  const auto resource = TypeRegistry::resource_name(*request.type);
  std::vector<Change> missed;
  if (!request.initial) {
    auto changes = storage_.changes_since(request.from);
    if (!changes) return changes.error();
    missed = std::move(*changes);
  }
  responder.begin(200, "application/json");
  const auto watch =
      watches_.insert(watches_.end(), Watch{std::move(request), std::move(responder), false, nullptr});
  watch->deadline = scheduler_.after(watch->request.timeout, [this, watch] {
    watch->responder.end();
    const Watch ended = std::move(*watch);
    watches_.erase(watch);
  });
  if (watch->request.initial) {
    for (const auto& [id, stored] : storage_.list(resource, watch->request.ns)) {
      if (selects(*watch, id, stored.get()) && !send(*watch, "ADDED", *stored, stored->revision)) return {};
    }
    if (watch->request.initial_events_end) send_bookmark(*watch, storage_.revision(), true);
  }
  for (const auto& change : missed) {
    if (!tell(*watch, change)) return {};
  }
  return {};
}

void WatchHub::on_change(const Change& change) {
  for (auto& watch : watches_) tell(watch, change);
  remove_closed();
}

void WatchHub::end_all() {
  for (auto& watch : watches_) watch.responder.end();
  watches_.clear();
}

bool WatchHub::selects(const Watch& watch, const ObjectId& id, const Stored* stored) const {
  if (!stored) return false;
  return watch.request.labels.matches(stored->labels) &&
         (watch.request.fields.everything() || watch.request.fields.matches(id, *stored));
}

bool WatchHub::tell(Watch& watch, const Change& change) {
  const auto& request = watch.request;
  if (change.id.resource != TypeRegistry::resource_name(*request.type)) return true;
  if (!request.ns.empty() && request.ns != change.id.ns) return true;
  const bool before = selects(watch, change.id, change.before.get());
  const bool now = selects(watch, change.id, change.now.get());
  if (now) return send(watch, before ? "MODIFIED" : "ADDED", *change.now, change.revision);
  if (before) return send(watch, "DELETED", change.now ? *change.now : *change.before, change.revision);
  return true;
}

bool WatchHub::send(Watch& watch, std::string_view type, const Stored& stored, std::uint64_t revision) {
  const auto& request = watch.request;
  const bool stored_form = !request.table && request.version->storage && stored.revision == revision;
  std::string line = "{\"type\":\"" + std::string(type) + "\",\"object\":";
  if (stored_form) {
    line += *stored.bytes;
  } else {
    Json object = Writes::in_version(stored.parse(), *request.type, *request.version);
    object["metadata"]["resourceVersion"] = std::to_string(revision);
    if (request.table) {
      const Json metadata = {{"resourceVersion", std::to_string(revision)}};
      object =
          schema::make_table({object}, *request.version, request.include,
                             !std::exchange(watch.columns_sent, true), scheduler_.clock().now(), metadata);
    }
    line += json::dump(object);
  }
  line += "}\n";
  return watch.responder.write(line);
}

bool WatchHub::send_bookmark(Watch& watch, std::uint64_t revision, bool initial_end) {
  Json object = {
      {"kind", watch.request.type->kind},
      {"apiVersion", watch.request.type->api_version(watch.request.version->name)},
      {"metadata", {{"resourceVersion", std::to_string(revision)}, {"creationTimestamp", nullptr}}}};
  if (initial_end) object["metadata"]["annotations"]["k8s.io/initial-events-end"] = "true";
  return watch.responder.write("{\"type\":\"BOOKMARK\",\"object\":" + json::dump(object) + "}\n");
}

void WatchHub::send_bookmarks() {
  for (auto& watch : watches_) {
    if (watch.request.bookmarks && !watch.request.table) send_bookmark(watch, storage_.revision(), false);
  }
  remove_closed();
  bookmark_timer_ = scheduler_.after(kBookmarkEvery, [this] { send_bookmarks(); });
}

void WatchHub::remove_closed() {
  watches_.remove_if([](const Watch& watch) { return watch.responder.closed(); });
}

}  // namespace tidegate::apiserver
