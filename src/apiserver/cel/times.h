// SPDX-License-Identifier: Apache-2.0
// Durations of expressions: Go's form, to the nanosecond, with a sign (text::parse_duration is for spans that
// we wait for). Pure. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::apiserver::cel {

// "1h30m", "-1.5s", "0"; units h m s ms us ns. nullopt where it is none, or beyond 292 years.
std::optional<std::int64_t> parse_nanos(std::string_view text);
// As CEL's string() has it: seconds, with as many digits as it takes: "5400s", "-1.5s".
std::string format_nanos(std::int64_t nanos);

}  // namespace tidegate::apiserver::cel
