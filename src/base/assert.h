// SPDX-License-Identifier: Apache-2.0
// Assertions for programmers' errors: always on, they name the place and abort. Never for input of any kind.
#pragma once

namespace tidegate::base {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace tidegate::base

#define TIDEGATE_ASSERT(expression)                     \
  (static_cast<bool>(expression) ? static_cast<void>(0) \
                                 : ::tidegate::base::assertion_failed(#expression, __FILE__, __LINE__))
