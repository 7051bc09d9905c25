// SPDX-License-Identifier: Apache-2.0
#include "http/field_name.h"

namespace tidegate::http {

KnownField known_field(std::string_view name) { return detail::known_field(name); }

}  // namespace tidegate::http
