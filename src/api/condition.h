// SPDX-License-Identifier: Apache-2.0
// metav1.Condition lists: a map by type. Thread: none; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace tidegate::api {

struct Condition {
  std::string type;
  std::string status;  // True, False, Unknown
  std::string reason;
  std::string message;
  std::int64_t observed_generation = 0;
  TimePoint last_transition{};  // filled by merge_conditions

  friend bool operator==(const Condition&, const Condition&) = default;
};

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type);
std::vector<Condition> decode_conditions(const Json& array);
Json encode_conditions(const std::vector<Condition>& conditions);

// `wanted` with last_transition taken from `current` where the status is unchanged, else `now`. Types in
// `current` alone are dropped.
std::vector<Condition> merge_conditions(const std::vector<Condition>& current, std::vector<Condition> wanted,
                                        TimePoint now);

}  // namespace tidegate::api
