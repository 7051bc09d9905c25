// SPDX-License-Identifier: Apache-2.0
// The rules of a listener beside those that the table before had there, in order: what compile() takes over,
// which stands among itself as it did. Private to compile.cc. Thread: none; lives for one compilation.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "routing/compile.h"

namespace tidegate::routing {

class TakenRules {
 public:
  explicit TakenRules(const CompiledListener* before) : before_(before ? &before->rules : nullptr) {
    if (before_ != nullptr) taken_.resize(before_->size());
  }

  // What was made of this very rule; null: nothing, or the rule has moved up.
  std::shared_ptr<const CompiledRule> take(const Rule& rule) {
    replaced_ = nullptr;
    if (before_ == nullptr || next_ >= before_->size()) return nullptr;
    const auto& old = (*before_)[next_];
    if (old->rule != &rule) {
      if (is_successor(rule, *old->rule)) {
        taken_[next_] = matches_the_same(rule, *old->rule);
        if (taken_[next_]) replaced_ = old.get();
        return ++next_, nullptr;
      }
      const auto place = places().find(&rule);
      if (place == places().end() || place->second < next_) return nullptr;
      next_ = place->second;
    }
    taken_[next_] = true;
    return (*before_)[next_++];
  }

  // Whose place the rule has that was last asked for, as it is found by the same; null: nobody's.
  const CompiledRule* replaced() const { return replaced_; }

  template <typename Visit>
  void each_left(Visit visit) const {
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      if (!taken_[i]) visit(*(*before_)[i]);
    }
  }

 private:
  static bool matches_the_same(const Rule& now, const Rule& before) {
    return now.hostnames == before.hostnames && now.matches == before.matches;
  }
  static bool is_successor(const Rule& now, const Rule& before) {
    return now.name == before.name && now.route.name == before.route.name &&
           now.route.ns == before.route.ns && now.route.kind == before.route.kind;
  }
  const std::unordered_map<const Rule*, std::size_t>& places() {
    if (places_.empty()) {
      for (std::size_t i = 0; i < before_->size(); ++i) places_.emplace((*before_)[i]->rule, i);
    }
    return places_;
  }

  const std::vector<std::shared_ptr<const CompiledRule>>* before_;
  std::unordered_map<const Rule*, std::size_t> places_;  // made when one has come or gone
  std::vector<bool> taken_;
  std::size_t next_ = 0;
  const CompiledRule* replaced_ = nullptr;
};

}  // namespace tidegate::routing
