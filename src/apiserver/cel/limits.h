// SPDX-License-Identifier: Apache-2.0
// Bounds of expressions, each with its reason. Rules come with CRDs, so from outside.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidegate::apiserver::cel {

inline constexpr std::size_t kMaxSource =
    100'000;                                      // bytes, as cel-go's own limit on the size of an expression
inline constexpr int kMaxDepth = 250;             // parser, checker and evaluator recurse; cel-go's limit too
inline constexpr std::size_t kMaxNodes = 20'000;  // of one expression; upstream's largest rules have 400
inline constexpr std::int64_t kMaxRuleSteps = 1'000'000;     // as upstream's limit on the cost of one rule
inline constexpr std::int64_t kMaxObjectSteps = 10'000'000;  // of all rules on one object: under a second
inline constexpr std::int64_t kBytesAStep = 10;  // of strings that are read or made, as upstream counts
inline constexpr std::int64_t kBytesACopyStep =
    100;  // of strings that are only handed on, which holds memory

}  // namespace tidegate::apiserver::cel
