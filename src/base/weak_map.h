// SPDX-License-Identifier: Apache-2.0
// Finds by key what somebody else holds, for as long as somebody does; entries of what is gone are dropped
// now and then, so that there are never many more of them than of what is held. Thread: one at a time; what
// is found may be let go of anywhere.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

namespace tidegate {

template <typename Key, typename T>
class WeakMap {
 public:
  // `make` gives a shared pointer to a new one, where nobody holds one; null is not kept.
  template <typename Make>
  std::shared_ptr<T> get_or_make(const Key& key, Make make) {
    const auto place = entries_.find(key);
    if (place != entries_.end()) {
      if (auto held = place->second.lock()) return held;
    }
    std::shared_ptr<T> made = make();
    if (!made) return made;
    if (entries_.size() >= sweep_at_) sweep();
    entries_[key] = made;
    return made;
  }

  std::size_t entries() const { return entries_.size(); }  // those of what is gone too

 private:
  void sweep() {
    std::erase_if(entries_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<std::size_t>(kFewest, 2 * entries_.size());
  }

  static constexpr std::size_t kFewest = 64;
  std::map<Key, std::weak_ptr<T>, std::less<>> entries_;
  std::size_t sweep_at_ = kFewest;
};

}  // namespace tidegate
