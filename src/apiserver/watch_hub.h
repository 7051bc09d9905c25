// SPDX-License-Identifier: Apache-2.0
// Watches: each sends the changes of one resource that pass its selectors, in order of revision, to a
// streamed response; bookmarks in between. A client that reads too slowly is cut by the response's own bound,
// and lists again. Thread: control. Owns: the open watches.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "apiserver/schema/table.h"
#include "apiserver/selectors.h"
#include "apiserver/storage.h"
#include "base/clock.h"
#include "session/http_server.h"

namespace tidegate::apiserver {

struct WatchRequest {
  schema::ResourceTypePtr type;
  const schema::Version* version = nullptr;  // of type
  std::string ns;
  LabelSelector labels;
  FieldSelector fields;
  std::uint64_t from = 0;  // changes after this revision
  bool initial = false;    // first everything that is there, as ADDED
  bool bookmarks = false;
  bool initial_events_end = false;  // the bookmark after `initial` that sendInitialEvents asks for
  bool table = false;
  schema::IncludeObject include = schema::IncludeObject::kMetadata;
  Duration timeout{0};
};

class WatchHub {
 public:
  WatchHub(Storage& storage, Scheduler& scheduler);

  // Errors before anything is sent: kGone, kLimit.
  Result<void> start(WatchRequest request, session::Responder responder);
  void on_change(const Change& change);
  void end_all();  // each client sees a proper end

 private:
  struct Watch {
    WatchRequest request;
    session::Responder responder;
    bool columns_sent = false;
    std::unique_ptr<Scheduler::Timer> deadline;
  };
  using Watches = std::list<Watch>;

  // False where the client is gone.
  bool tell(Watch& watch, const Change& change);
  bool send(Watch& watch, std::string_view type, const Stored& stored, std::uint64_t revision);
  bool send_bookmark(Watch& watch, std::uint64_t revision, bool initial_end);
  bool selects(const Watch& watch, const ObjectId& id, const Stored* stored) const;
  void send_bookmarks();
  void remove_closed();

  Storage& storage_;
  Scheduler& scheduler_;
  Watches watches_;
  std::unique_ptr<Scheduler::Timer> bookmark_timer_;
};

}  // namespace tidegate::apiserver
