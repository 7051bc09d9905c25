// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error, spelled like std::expected<T, Error> (which GCC 12 lacks in C++20), for
// operating errors: network, peer, file, API. Not for users' errors in objects (Problem) and not for
// programmers' errors (TIDEGATE_ASSERT).
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/assert.h"

namespace tidegate {

enum class ErrorCode {
  kInvalid,      // the request or the input is malformed; the same call fails again
  kNotFound,     // the thing named does not exist
  kConflict,     // the thing exists, or has changed since it was read
  kForbidden,    // the caller may not
  kUnavailable,  // a peer is away or refuses for now; later may help
  kTimeout,      // a deadline passed
  kLimit,        // a bound of ours was hit
  kCancelled,    // we stopped it ourselves
  kGone,         // what was asked for has been compacted away (watch: list again)
  kIo,           // the operating system refused
  kInternal,     // a peer broke its contract
};

const char* to_string(ErrorCode code);

// `detail` is one line, lower case, no full stop; it names the thing, the value and what was expected.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string detail;

  friend bool operator==(const Error&, const Error&) = default;
};

// The error in front of `detail`: context("reading shop.yaml", e).
Error context(std::string_view what, Error error);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    TIDEGATE_ASSERT(has_value());
    return std::get<0>(state_);
  }
  const T& value() const& {
    TIDEGATE_ASSERT(has_value());
    return std::get<0>(state_);
  }
  T&& value() && {
    TIDEGATE_ASSERT(has_value());
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T fallback) const& { return has_value() ? value() : std::move(fallback); }

  const Error& error() const& {
    TIDEGATE_ASSERT(!has_value());
    return std::get<1>(state_);
  }
  Error&& error() && {
    TIDEGATE_ASSERT(!has_value());
    return std::get<1>(std::move(state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const {
    TIDEGATE_ASSERT(!ok_);
    return error_;
  }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace tidegate
