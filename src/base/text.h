// SPDX-License-Identifier: Apache-2.0
// Small text functions that several layers need: Go-form durations, RFC 3339 times, base64, hashes that go
// into names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace tidegate::text {

// Go's time.ParseDuration: "300ms", "1.5h", "2h45m"; units h m s ms (us and ns are rounded down to
// milliseconds). A bare integer is seconds, as in Argo Rollouts. Negative and empty are errors.
Result<Duration> parse_duration(std::string_view text);
std::string format_duration(Duration duration);  // "1h2m3s", "1.5s", "250ms", "0s"
std::string format_age(Duration duration);       // kubectl's: "45s", "2m5s", "3h12m", "4d"

// RFC 3339 in UTC: whole seconds (metav1.Time) or microseconds (metav1.MicroTime).
std::string format_time(TimePoint time);
std::string format_micro_time(TimePoint time);
std::optional<TimePoint> parse_time(std::string_view text);

std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

std::uint64_t fnv1a(std::string_view bytes);
// A short hash for names, in Kubernetes' safe alphabet (no vowels, nothing that reads as a word):
// "7d4b9c6f5c".
std::string safe_hash(std::string_view bytes);

std::vector<std::string_view> split(std::string_view text, char separator);  // "" gives one empty part
std::string_view trim(std::string_view text);                                // spaces, tabs, CR, LF
std::string lower(std::string_view text);                                    // ASCII
bool iequals(std::string_view a, std::string_view b);                        // ASCII, case-insensitive
std::string join(const std::vector<std::string>& parts, std::string_view separator);

std::optional<std::int64_t> parse_int(std::string_view text);  // whole text, decimal
std::optional<double> parse_double(std::string_view text);     // whole text, finite or not

// RFC 1123 label (63 characters) and subdomain (253), as Kubernetes checks names.
bool is_dns_label(std::string_view text);
bool is_dns_subdomain(std::string_view text);

}  // namespace tidegate::text
