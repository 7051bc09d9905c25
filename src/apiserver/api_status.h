// SPDX-License-Identifier: Apache-2.0
// metav1.Status: how the API says no, and the Outcome of whatever may be refused with one. Thread: none;
// plain values.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "apiserver/schema/structural.h"
#include "base/assert.h"
#include "base/json.h"

namespace tidegate::apiserver {

struct ApiStatus {
  int code = 500;
  std::string reason = "InternalError";
  std::string message;
  Json details = Json::object();
};

Json to_json(const ApiStatus& status);

ApiStatus bad_request(const std::string& message);
ApiStatus not_found(const std::string& resource, const std::string& group, const std::string& name);
ApiStatus no_such_path();
ApiStatus already_exists(const std::string& resource, const std::string& group, const std::string& name);
ApiStatus conflict(const std::string& resource, const std::string& group, const std::string& name,
                   const std::string& why);
// Fields that others own, as server_side_apply() names them: "field<TAB>manager", one a line.
ApiStatus apply_conflict(std::string_view fields);
ApiStatus invalid(const std::string& kind, const std::string& group, const std::string& name,
                  const std::vector<schema::FieldError>& errors);
ApiStatus gone(const std::string& message);
ApiStatus method_not_allowed();
ApiStatus unsupported_media_type(const std::string& message);
ApiStatus from_error(const Error& error);

template <typename T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Outcome(ApiStatus refusal)
      : state_(std::in_place_index<1>, std::move(refusal)) {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const ApiStatus& refusal() const { return std::get<1>(state_); }

 private:
  std::variant<T, ApiStatus> state_;
};

}  // namespace tidegate::apiserver
