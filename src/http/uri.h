// SPDX-License-Identifier: Apache-2.0
// Paths and queries of request targets: normalised once, so that what is matched is what is forwarded.
// Thread: none; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidegate::http {

// RFC 3986 section 6.2.2: unreserved percent-encodings decoded, hex digits upper case, dot segments removed,
// repeated slashes kept. nullopt where the path is not absolute, climbs above the root, holds an invalid
// percent-encoding, %00, %2F or %5C, a backslash or a control: nothing that two parsers could read in two
// ways is passed on.
std::optional<std::string> normalize_path(std::string_view path);

// True only of a path that normalize_path() returns as it is; nearly all are told at once.
bool is_plain_path(std::string_view path);

// name=value pairs of a query, percent-decoded ('+' stays '+'); for matching only.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);
std::optional<std::string> percent_decode(std::string_view text);
std::string percent_encode(std::string_view text);  // all but unreserved

// An authority split; nullopt where it is malformed. host keeps the brackets of an IPv6 literal.
struct HostPort {
  std::string_view host;
  std::optional<std::uint16_t> port;
};
std::optional<HostPort> parse_authority(std::string_view authority);

}  // namespace tidegate::http
