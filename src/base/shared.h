// SPDX-License-Identifier: Apache-2.0
// A value that many hold and nobody changes. Copies share it; equal are equal values, which is told at once
// where both hold the same object. Thread: any, as of a shared pointer to const.
#pragma once

#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace tidegate {

template <typename T>
class Shared {
 public:
  Shared() : Shared(T{}) {}
  Shared(T value)
      : value_(std::make_shared<const T>(std::move(value))) {}  // NOLINT(google-explicit-constructor)

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  const T* get() const { return value_.get(); }
  operator const T&() const { return *value_; }  // NOLINT(google-explicit-constructor)

  friend bool operator==(const Shared& a, const Shared& b) {
    return a.value_ == b.value_ || *a.value_ == *b.value_;
  }

 private:
  std::shared_ptr<const T> value_;
};

template <typename T>
std::vector<Shared<T>> to_shared(std::vector<T> values) {
  return {std::make_move_iterator(values.begin()), std::make_move_iterator(values.end())};
}

}  // namespace tidegate
