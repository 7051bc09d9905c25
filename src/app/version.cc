// SPDX-License-Identifier: Apache-2.0
#include "app/version.h"

namespace tidegate::app {

std::string_view version() { return TIDEGATE_VERSION; }
std::string_view commit() { return TIDEGATE_COMMIT; }
std::string_view build_type() { return TIDEGATE_BUILD_TYPE; }

}  // namespace tidegate::app
