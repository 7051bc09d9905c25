// SPDX-License-Identifier: Apache-2.0
#include "kube/event_series.h"

#include <algorithm>

#include "kube/limits.h"

namespace tidegate::kube {

namespace {

double refilled(double tokens, TimePoint filled, TimePoint now) {
  const double fresh =
      static_cast<double>((now - filled).count()) / static_cast<double>(kEventRefill.count());
  return std::min(kEventBurst, tokens + std::max(0.0, fresh));
}

}  // namespace

std::shared_ptr<EventSeries> EventLog::note(const std::string& object, const std::string& key,
                                            TimePoint now) {
  const bool may_write = take_token(object, now);
  if (!may_write && !series_.contains(key)) return nullptr;
  auto& series = touch(key, now);
  ++series.count;
  series.last = now;
  series.changed = true;
  return may_write ? series_.at(key).series : nullptr;
}

bool EventLog::take_token(const std::string& object, TimePoint now) {
  if (buckets_.size() >= kMaxEventSeries) forget_full_buckets(now);
  auto [it, fresh] = buckets_.try_emplace(object, Bucket{kEventBurst, now});
  auto& bucket = it->second;
  bucket.tokens = refilled(bucket.tokens, bucket.filled, now);
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

// A full bucket says the same as none. Where none is full, all go: that forgives bursts, and stays bounded.
void EventLog::forget_full_buckets(TimePoint now) {
  std::erase_if(buckets_, [&](const auto& item) {
    return refilled(item.second.tokens, item.second.filled, now) >= kEventBurst;
  });
  if (buckets_.size() >= kMaxEventSeries) buckets_.clear();
}

EventSeries& EventLog::touch(const std::string& key, TimePoint now) {
  if (auto it = series_.find(key); it != series_.end()) {
    ages_.splice(ages_.end(), ages_, it->second.age);
    return *it->second.series;
  }
  if (series_.size() >= kMaxEventSeries) {
    series_.erase(ages_.front());
    ages_.pop_front();
  }
  auto series = std::make_shared<EventSeries>();
  series->first = now;
  series_[key] = Known{series, ages_.insert(ages_.end(), key)};
  return *series;
}

}  // namespace tidegate::kube
