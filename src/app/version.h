// SPDX-License-Identifier: Apache-2.0
// Which build this is.
#pragma once

#include <string_view>

namespace tidegate::app {

std::string_view version();     // "0.1.0"
std::string_view commit();      // short hash; empty: built outside a checkout
std::string_view build_type();  // "Release"

}  // namespace tidegate::app
