// SPDX-License-Identifier: Apache-2.0
// Caches of objects as they were last seen, kept up to date by reflectors (reflector.h), and handed out as
// const snapshots (invariant I3). Thread: control. A Store<T> is filled by decoding each document once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/object.h"

namespace tidegate::kube {

// What a reflector feeds: documents in, events out. `old` and `now`: null where the object was added or
// deleted.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void replace(std::vector<Json> items) = 0;  // a fresh list: what is missing in it is deleted
  virtual void put(Json item) = 0;
  virtual void remove(const Json& item) = 0;
};

template <typename T>
class Store final : public Sink {
 public:
  using Ptr = std::shared_ptr<const T>;
  using Listener = std::function<void(const Ptr& old, const Ptr& now)>;

  // `decode` is total: T decode(const Json&); T has a `meta` member.
  explicit Store(std::function<T(const Json&)> decode) : decode_(std::move(decode)) {}

  void on_change(Listener listener) { listeners_.push_back(std::move(listener)); }

  Ptr get(const api::Key& key) const {
    auto it = items_.find(key);
    return it == items_.end() ? nullptr : it->second;
  }
  const std::map<api::Key, Ptr>& all() const { return items_; }
  bool synced() const { return synced_; }  // the first list has arrived

  void replace(std::vector<Json> items) override;
  void put(Json item) override;
  void remove(const Json& item) override;

  // What a write of ours came to, which was decided on `before` (null: nothing was there). Late answers are
  // dropped: what a watch has brought meanwhile is that write already, or a later one.
  void put_written(const Ptr& before, Json item);
  void remove_written(const Ptr& before);

 private:
  void notify(const Ptr& old, const Ptr& now) {
    for (const auto& listener : listeners_) listener(old, now);
  }
  std::function<T(const Json&)> decode_;
  std::map<api::Key, Ptr> items_;
  std::vector<Listener> listeners_;
  bool synced_ = false;
};

template <typename T>
void Store<T>::put(Json item) {
  auto now = std::make_shared<const T>(decode_(item));
  auto& slot = items_[now->meta.key()];
  auto old = slot;
  if (old && old->meta.resource_version == now->meta.resource_version) return;
  slot = now;
  notify(old, now);
}

template <typename T>
void Store<T>::remove(const Json& item) {
  auto it = items_.find(decode_(item).meta.key());
  if (it == items_.end()) return;
  auto old = it->second;
  items_.erase(it);
  notify(old, nullptr);
}

template <typename T>
void Store<T>::put_written(const Ptr& before, Json item) {
  if (get(decode_(item).meta.key()) == before) put(std::move(item));
}

template <typename T>
void Store<T>::remove_written(const Ptr& before) {
  if (get(before->meta.key()) == before) remove(*before->json);
}

template <typename T>
void Store<T>::replace(std::vector<Json> items) {
  std::map<api::Key, Ptr> gone = items_;
  for (auto& item : items) {
    auto decoded = decode_(item);
    gone.erase(decoded.meta.key());
    put(std::move(item));
  }
  synced_ = true;
  for (const auto& [key, old] : gone) {
    items_.erase(key);
    notify(old, nullptr);
  }
}

}  // namespace tidegate::kube
