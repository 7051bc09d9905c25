// SPDX-License-Identifier: Apache-2.0
// Bounds of the pure schema functions, each with its reason.
#pragma once

#include <cstddef>

namespace tidegate::apiserver::schema {

inline constexpr std::size_t kMaxCompiledPatterns =
    1024;  // a thread; the Gateway API's kinds together have about 200
inline constexpr std::size_t kMaxFieldErrors = 64;  // a Status names no more causes than one can read
inline constexpr std::size_t kMaxRules = 2000;      // of one schema; the Gateway API's kinds have about 100
inline constexpr std::size_t kMaxRuleMessage =
    5 * 1024;  // that a rule's messageExpression makes, as upstream
inline constexpr std::size_t kMaxPatchOperations = 10000;  // of one JSON patch, as the Kubernetes API server
inline constexpr std::size_t kMaxPatchGrowth =
    16 * 1024 * 1024;  // bytes that `copy` may add, so that patches cannot double without end
inline constexpr std::size_t kMaxUpdateManagers = 10;  // of an object, as the Kubernetes API server keeps

}  // namespace tidegate::apiserver::schema
