// SPDX-License-Identifier: Apache-2.0
// Which events are the same again, and how many an object may still write: the memory of events.h. Knows no
// API server. Thread: none; pure. Owns: bounded maps (kMaxEventSeries).
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"

namespace tidegate::kube {

// One Event object, written or to be written.
struct EventSeries {
  std::string name;  // of the Event; empty until it is written for the first time
  TimePoint first{}, last{};
  std::int64_t count = 0;
  bool changed = false;  // `count` is ahead of what the API server holds
  bool writing = false;
};

class EventLog {
 public:
  // Notes one more of the event that `key` stands for. nullptr: dropped, because `object` has used up its
  // burst; a repeated one is counted all the same, and written with the next that may be.
  std::shared_ptr<EventSeries> note(const std::string& object, const std::string& key, TimePoint now);

 private:
  struct Bucket {
    double tokens;
    TimePoint filled;
  };
  struct Known {
    std::shared_ptr<EventSeries> series;
    std::list<std::string>::iterator age;
  };
  bool take_token(const std::string& object, TimePoint now);
  EventSeries& touch(const std::string& key, TimePoint now);
  void forget_full_buckets(TimePoint now);

  std::map<std::string, Known> series_;
  std::list<std::string> ages_;  // keys, least recently seen first
  std::map<std::string, Bucket> buckets_;
};

}  // namespace tidegate::kube
